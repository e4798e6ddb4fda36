-- first page
SELECT t.shop AS shop, t."no" AS "no", t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR(4000)) AS place
FROM sales."Visits" AS t ORDER BY t.shop, t."no" LIMIT 500

-- page behind a key
--   param_1 = 'Rome'
--   param_2 = 7
SELECT t.shop AS shop, t."no" AS "no", t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR(4000)) AS place
FROM sales."Visits" AS t
WHERE t.shop >= ? AND (t.shop > ? OR t.shop = ? AND t."no" > ?) ORDER BY t.shop, t."no" LIMIT 500

-- changes, first page
--   param_1 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_2 = datetime.datetime(2026, 2, 28, 0, 0)
SELECT t.shop AS shop, t."no" AS "no", t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR(4000)) AS place
FROM sales."Visits" AS t
WHERE t."changed at" IS NOT NULL AND t."changed at" >= ? AND t."changed at" <= ? ORDER BY t."changed at", t.shop, t."no" LIMIT 500

-- changes, page behind a key
--   param_1 = datetime.datetime(2026, 2, 28, 0, 0)
--   param_2 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_3 = 'Rome'
--   param_4 = 7
SELECT t.shop AS shop, t."no" AS "no", t."changed at" AS "changed at", t.price AS price, t.rate AS rate, CAST(t.place AS VARCHAR(4000)) AS place
FROM sales."Visits" AS t
WHERE t."changed at" IS NOT NULL AND t."changed at" <= ? AND t."changed at" >= ? AND (t."changed at" > ? OR t."changed at" = ? AND t.shop >= ? AND (t.shop > ? OR t.shop = ? AND t."no" > ?)) ORDER BY t."changed at", t.shop, t."no" LIMIT 500

-- rows without a change date
SELECT t.shop AS shop, t."no" AS "no"
FROM sales."Visits" AS t
WHERE t."changed at" IS NULL

-- highest change date
SELECT max(t."changed at") AS "changed at"
FROM sales."Visits" AS t

-- bounds of a key
SELECT min(t."no") AS lowest, max(t."no") AS highest
FROM sales."Visits" AS t

-- bounds of the changes
--   param_1 = datetime.datetime(2026, 1, 31, 10, 0, 0, 123456)
--   param_2 = datetime.datetime(2026, 2, 28, 0, 0)
SELECT min(t."changed at") AS lowest, max(t."changed at") AS highest
FROM sales."Visits" AS t
WHERE t."changed at" IS NOT NULL AND t."changed at" >= ? AND t."changed at" <= ?

-- one part of a key
--   param_1 = 100
--   param_2 = 200
SELECT t.shop AS shop, t."no" AS "no"
FROM sales."Visits" AS t
WHERE t."no" >= ? AND t."no" < ? ORDER BY t."no" LIMIT 500

-- all keys
SELECT t.shop AS shop, t."no" AS "no"
FROM sales."Visits" AS t

-- rows by key
--   param_1 = 'Rome'
--   param_2 = 7
--   param_3 = 'Turin'
--   param_4 = 8
SELECT t.shop AS shop, t."no" AS "no"
FROM sales."Visits" AS t
WHERE t.shop = ? AND t."no" = ? OR t.shop = ? AND t."no" = ?

-- count
SELECT count(*) AS count_1
FROM sales."Visits" AS t
