-- first page
--   param_1 = 500
--   param_2 = 0
SELECT t.shop AS shop, t.no AS no, t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR) AS place
FROM sales."Visits" AS t ORDER BY t.shop, t.no
 LIMIT ? OFFSET ?

-- page behind a key
--   param_1 = 'Rome'
--   param_2 = 7
--   param_3 = 500
--   param_4 = 0
SELECT t.shop AS shop, t.no AS no, t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR) AS place
FROM sales."Visits" AS t
WHERE t.shop >= ? AND (t.shop > ? OR t.shop = ? AND t.no > ?) ORDER BY t.shop, t.no
 LIMIT ? OFFSET ?

-- changes, first page
--   param_1 = '2026-01-31T10:00:00.123456'
--   param_2 = '2026-02-28T00:00:00'
--   param_3 = 500
--   param_4 = 0
SELECT t.shop AS shop, t.no AS no, t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR) AS place
FROM sales."Visits" AS t
WHERE t."changed at" IS NOT NULL AND t."changed at" >= ? AND t."changed at" <= ? ORDER BY t."changed at", t.shop, t.no
 LIMIT ? OFFSET ?

-- changes, page behind a key
--   param_1 = '2026-02-28T00:00:00'
--   param_2 = '2026-01-31T10:00:00.123456'
--   param_3 = 'Rome'
--   param_4 = 7
--   param_5 = 500
--   param_6 = 0
SELECT t.shop AS shop, t.no AS no, t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR) AS place
FROM sales."Visits" AS t
WHERE t."changed at" IS NOT NULL AND t."changed at" <= ? AND t."changed at" >= ? AND (t."changed at" > ? OR t."changed at" = ? AND t.shop >= ? AND (t.shop > ? OR t.shop = ? AND t.no > ?)) ORDER BY t."changed at", t.shop, t.no
 LIMIT ? OFFSET ?

-- rows without a change date
SELECT t.shop AS shop, t.no AS no
FROM sales."Visits" AS t
WHERE t."changed at" IS NULL

-- highest change date
SELECT max(t."changed at") AS "changed at"
FROM sales."Visits" AS t

-- bounds of a key
SELECT min(t.no) AS lowest, max(t.no) AS highest
FROM sales."Visits" AS t

-- bounds of the changes
--   param_1 = '2026-01-31T10:00:00.123456'
--   param_2 = '2026-02-28T00:00:00'
SELECT min(t."changed at") AS lowest, max(t."changed at") AS highest
FROM sales."Visits" AS t
WHERE t."changed at" IS NOT NULL AND t."changed at" >= ? AND t."changed at" <= ?

-- one part of a key
--   param_1 = 100
--   param_2 = 200
--   param_3 = 500
--   param_4 = 0
SELECT t.shop AS shop, t.no AS no
FROM sales."Visits" AS t
WHERE t.no >= ? AND t.no < ? ORDER BY t.no
 LIMIT ? OFFSET ?

-- all keys
SELECT t.shop AS shop, t.no AS no
FROM sales."Visits" AS t

-- rows by key
--   param_1 = 'Rome'
--   param_2 = 7
--   param_3 = 'Turin'
--   param_4 = 8
SELECT t.shop AS shop, t.no AS no
FROM sales."Visits" AS t
WHERE t.shop = ? AND t.no = ? OR t.shop = ? AND t.no = ?

-- count
SELECT count(*) AS count_1
FROM sales."Visits" AS t
