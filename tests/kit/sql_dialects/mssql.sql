-- first page
SELECT TOP 500 t.shop AS shop, t.no AS no, t.[changed at] AS [changed at], t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR(max)) AS place
FROM sales.[Visits] AS t ORDER BY t.shop, t.no

-- page behind a key
--   param_2 = 'Rome'
--   param_3 = 7
SELECT TOP 500 t.shop AS shop, t.no AS no, t.[changed at] AS [changed at], t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR(max)) AS place
FROM sales.[Visits] AS t
WHERE t.shop >= :param_2 AND (t.shop > :param_2 OR t.shop = :param_2 AND t.no > :param_3) ORDER BY t.shop, t.no

-- changes, first page
--   param_2 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_3 = datetime.datetime(2026, 2, 28, 0, 0)
SELECT TOP 500 t.shop AS shop, t.no AS no, t.[changed at] AS [changed at], t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR(max)) AS place
FROM sales.[Visits] AS t
WHERE t.[changed at] IS NOT NULL AND t.[changed at] >= :param_2 AND t.[changed at] <= :param_3 ORDER BY t.[changed at], t.shop, t.no

-- changes, page behind a key
--   param_2 = datetime.datetime(2026, 2, 28, 0, 0)
--   param_3 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_4 = 'Rome'
--   param_5 = 7
SELECT TOP 500 t.shop AS shop, t.no AS no, t.[changed at] AS [changed at], t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR(max)) AS place
FROM sales.[Visits] AS t
WHERE t.[changed at] IS NOT NULL AND t.[changed at] <= :param_2 AND t.[changed at] >= :param_3 AND (t.[changed at] > :param_3 OR t.[changed at] = :param_3 AND t.shop >= :param_4 AND (t.shop > :param_4 OR t.shop = :param_4 AND t.no > :param_5)) ORDER BY t.[changed at], t.shop, t.no

-- rows without a change date
SELECT t.shop AS shop, t.no AS no
FROM sales.[Visits] AS t
WHERE t.[changed at] IS NULL

-- highest change date
SELECT max(t.[changed at]) AS [changed at]
FROM sales.[Visits] AS t

-- bounds of a key
SELECT min(t.no) AS lowest, max(t.no) AS highest
FROM sales.[Visits] AS t

-- bounds of the changes
--   param_1 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_2 = datetime.datetime(2026, 2, 28, 0, 0)
SELECT min(t.[changed at]) AS lowest, max(t.[changed at]) AS highest
FROM sales.[Visits] AS t
WHERE t.[changed at] IS NOT NULL AND t.[changed at] >= :param_1 AND t.[changed at] <= :param_2

-- one part of a key
--   param_2 = 100
--   param_3 = 200
SELECT TOP 500 t.shop AS shop, t.no AS no
FROM sales.[Visits] AS t
WHERE t.no >= :param_2 AND t.no < :param_3 ORDER BY t.no

-- all keys
SELECT t.shop AS shop, t.no AS no
FROM sales.[Visits] AS t

-- rows by key
--   param_1 = 'Rome'
--   param_2 = 7
--   param_3 = 'Turin'
--   param_4 = 8
SELECT t.shop AS shop, t.no AS no
FROM sales.[Visits] AS t
WHERE t.shop = :param_1 AND t.no = :param_2 OR t.shop = :param_3 AND t.no = :param_4

-- count
SELECT count(*) AS count_1
FROM sales.[Visits] AS t
