// What the server asks of better-sqlite3, out of the SQLite that Node brings: nothing is compiled.
"use strict";
const { DatabaseSync } = require("node:sqlite");

// SQLite's extended codes, by the names that the server looks for
const CODES = { 5: "SQLITE_BUSY", 517: "SQLITE_BUSY_SNAPSHOT", 1555: "SQLITE_CONSTRAINT_PRIMARYKEY", 2067: "SQLITE_CONSTRAINT_UNIQUE" };

function named(work) {
  try {
    return work();
  } catch (error) {
    if (error.errcode in CODES) error.code = CODES[error.errcode];
    throw error;
  }
}

function buffered(row) {
  for (const [name, value] of Object.entries(row)) {
    if (value instanceof Uint8Array) row[name] = Buffer.from(value);
  }
  return row;
}

class Statement {
  constructor(statement) {
    this.statement = statement;
    this.reader = statement.columns().length > 0;
  }

  all(values) {
    return named(() => this.statement.all(...values).map(buffered));
  }

  run(values) {
    return named(() => this.statement.run(...values));
  }
}

class Database {
  constructor(place, options) {
    this.database = new DatabaseSync(place, { timeout: options?.timeout ?? 0 });
  }

  pragma(text) {
    return named(() => this.database.prepare(`PRAGMA ${text}`).all());
  }

  prepare(text) {
    return named(() => new Statement(this.database.prepare(text)));
  }

  close() {
    this.database.close();
  }
}

module.exports = Database;
