-- first page
--   param_1 = 500
SELECT t.shop AS shop, t.no AS no, t.`changed at` AS `changed at`, t.price AS price, t.rate + 0e0 AS rate, CAST(t.place AS CHAR) AS place, t.mood AS mood, CAST(t.open AS CHAR) AS open
FROM sales.`Visits` AS t ORDER BY t.shop, t.no
 LIMIT %s

-- page behind a key
--   param_1 = 'Rome'
--   param_2 = 7
--   param_3 = 500
SELECT t.shop AS shop, t.no AS no, t.`changed at` AS `changed at`, t.price AS price, t.rate + 0e0 AS rate, CAST(t.place AS CHAR) AS place, t.mood AS mood, CAST(t.open AS CHAR) AS open
FROM sales.`Visits` AS t
WHERE t.shop >= %s AND (t.shop > %s OR t.shop = %s AND t.no > %s) ORDER BY t.shop, t.no
 LIMIT %s

-- changes, first page
--   param_1 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_2 = datetime.datetime(2026, 2, 28, 0, 0)
--   param_3 = 500
SELECT t.shop AS shop, t.no AS no, t.`changed at` AS `changed at`, t.price AS price, t.rate + 0e0 AS rate, CAST(t.place AS CHAR) AS place, t.mood AS mood, CAST(t.open AS CHAR) AS open
FROM sales.`Visits` AS t
WHERE t.`changed at` IS NOT NULL AND t.`changed at` >= %s AND t.`changed at` <= %s ORDER BY t.`changed at`, t.shop, t.no
 LIMIT %s

-- changes, page behind a key
--   param_1 = datetime.datetime(2026, 2, 28, 0, 0)
--   param_2 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_3 = 'Rome'
--   param_4 = 7
--   param_5 = 500
SELECT t.shop AS shop, t.no AS no, t.`changed at` AS `changed at`, t.price AS price, t.rate + 0e0 AS rate, CAST(t.place AS CHAR) AS place, t.mood AS mood, CAST(t.open AS CHAR) AS open
FROM sales.`Visits` AS t
WHERE t.`changed at` IS NOT NULL AND t.`changed at` <= %s AND t.`changed at` >= %s AND (t.`changed at` > %s OR t.`changed at` = %s AND t.shop >= %s AND (t.shop > %s OR t.shop = %s AND t.no > %s)) ORDER BY t.`changed at`, t.shop, t.no
 LIMIT %s

-- rows without a change date
SELECT t.shop AS shop, t.no AS no
FROM sales.`Visits` AS t
WHERE t.`changed at` IS NULL

-- highest change date
SELECT max(t.`changed at`) AS `changed at`
FROM sales.`Visits` AS t

-- bounds of a key
SELECT min(t.no) AS lowest, max(t.no) AS highest
FROM sales.`Visits` AS t

-- bounds of the changes
--   param_1 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_2 = datetime.datetime(2026, 2, 28, 0, 0)
SELECT min(t.`changed at`) AS lowest, max(t.`changed at`) AS highest
FROM sales.`Visits` AS t
WHERE t.`changed at` IS NOT NULL AND t.`changed at` >= %s AND t.`changed at` <= %s

-- one part of a key
--   param_1 = 100
--   param_2 = 200
--   param_3 = 500
SELECT t.shop AS shop, t.no AS no
FROM sales.`Visits` AS t
WHERE t.no >= %s AND t.no < %s ORDER BY t.no
 LIMIT %s

-- all keys
SELECT t.shop AS shop, t.no AS no
FROM sales.`Visits` AS t

-- rows by key
--   param_1 = 'Rome'
--   param_2 = 7
--   param_3 = 'Turin'
--   param_4 = 8
SELECT t.shop AS shop, t.no AS no
FROM sales.`Visits` AS t
WHERE t.shop = %s AND t.no = %s OR t.shop = %s AND t.no = %s

-- count
SELECT count(*) AS count_1
FROM sales.`Visits` AS t

-- page behind an enum
--   param_1 = 'a'
--   param_2 = 500
SELECT t.shop AS shop, t.no AS no
FROM sales.`Visits` AS t
WHERE t.mood IS NOT NULL AND CAST(t.mood AS CHAR) > %s ORDER BY CAST(t.mood AS CHAR)
 LIMIT %s
