-- first page
SELECT t.shop AS shop, t.no AS no, t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR2(4000 CHAR)) AS place
FROM sales."Visits" t ORDER BY t.shop, t.no
 FETCH FIRST 500 ROWS ONLY

-- page behind a key
--   param_1 = 'Rome'
--   param_2 = 7
SELECT t.shop AS shop, t.no AS no, t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR2(4000 CHAR)) AS place
FROM sales."Visits" t
WHERE t.shop >= :param_1 AND (t.shop > :param_1 OR t.shop = :param_1 AND t.no > :param_2) ORDER BY t.shop, t.no
 FETCH FIRST 500 ROWS ONLY

-- changes, first page
--   param_1 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_2 = datetime.datetime(2026, 2, 28, 0, 0)
SELECT t.shop AS shop, t.no AS no, t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR2(4000 CHAR)) AS place
FROM sales."Visits" t
WHERE t."changed at" IS NOT NULL AND t."changed at" >= :param_1 AND t."changed at" <= :param_2 ORDER BY t."changed at", t.shop, t.no
 FETCH FIRST 500 ROWS ONLY

-- changes, page behind a key
--   param_1 = datetime.datetime(2026, 2, 28, 0, 0)
--   param_2 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_3 = 'Rome'
--   param_4 = 7
SELECT t.shop AS shop, t.no AS no, t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR2(4000 CHAR)) AS place
FROM sales."Visits" t
WHERE t."changed at" IS NOT NULL AND t."changed at" <= :param_1 AND t."changed at" >= :param_2 AND (t."changed at" > :param_2 OR t."changed at" = :param_2 AND t.shop >= :param_3 AND (t.shop > :param_3 OR t.shop = :param_3 AND t.no > :param_4)) ORDER BY t."changed at", t.shop, t.no
 FETCH FIRST 500 ROWS ONLY

-- rows without a change date
SELECT t.shop AS shop, t.no AS no
FROM sales."Visits" t
WHERE t."changed at" IS NULL

-- highest change date
SELECT max(t."changed at") AS "changed at"
FROM sales."Visits" t

-- bounds of a key
SELECT min(t.no) AS lowest, max(t.no) AS highest
FROM sales."Visits" t

-- bounds of the changes
--   param_1 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_2 = datetime.datetime(2026, 2, 28, 0, 0)
SELECT min(t."changed at") AS lowest, max(t."changed at") AS highest
FROM sales."Visits" t
WHERE t."changed at" IS NOT NULL AND t."changed at" >= :param_1 AND t."changed at" <= :param_2

-- one part of a key
--   param_1 = 100
--   param_2 = 200
SELECT t.shop AS shop, t.no AS no
FROM sales."Visits" t
WHERE t.no >= :param_1 AND t.no < :param_2 ORDER BY t.no
 FETCH FIRST 500 ROWS ONLY

-- all keys
SELECT t.shop AS shop, t.no AS no
FROM sales."Visits" t

-- rows by key
--   param_1 = 'Rome'
--   param_2 = 7
--   param_3 = 'Turin'
--   param_4 = 8
SELECT t.shop AS shop, t.no AS no
FROM sales."Visits" t
WHERE t.shop = :param_1 AND t.no = :param_2 OR t.shop = :param_3 AND t.no = :param_4

-- count
SELECT count(*) AS count_1
FROM sales."Visits" t
