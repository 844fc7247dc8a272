/** Tables of the embedded store. `PRAGMA user_version` is the number of scripts that were run; a script is never edited. */

/**
 * `commits`: one row a commit, so that a batch is atomic by itself. The long text stands last: a read of the head or of
 * a version never touches it. `specs.slim` is the projection of the resync, made once at writing; a
 * document that is not JSON goes through as it is, so that only its own bot fails to decode. `specs.message` is the place of the last message that was
 * taken, also by a tombstone (contract §2). `schedules` and `schedule_requests` are to scheduled bots what `specs` and
 * `requests` are to the others.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE commits (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    from_version INTEGER NOT NULL,
    to_version INTEGER NOT NULL,
    command_id TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    writer TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    causes TEXT NOT NULL,
    events TEXT NOT NULL,
    UNIQUE (stream, from_version),
    UNIQUE (stream, command_id)
  );
  CREATE TABLE specs (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    asked TEXT,
    slim TEXT GENERATED ALWAYS AS (
      CASE WHEN json_valid(document)
        THEN json_remove(document, '$.custom.config.schema', '$.custom.config.readme')
        ELSE document END
    ) STORED,
    document TEXT
  );
  CREATE TABLE requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (bot_id, request_id)
  );
  CREATE TABLE snapshots (stream TEXT PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
  `,
  `
  ALTER TABLE specs ADD COLUMN message TEXT;
  CREATE TABLE dead_letters (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    place TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    body TEXT NOT NULL
  );
  `,
  `
  CREATE TABLE schedules (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    asked TEXT,
    message TEXT,
    slim TEXT GENERATED ALWAYS AS (
      CASE WHEN json_valid(document)
        THEN json_remove(document, '$.custom.config.schema', '$.custom.config.readme')
        ELSE document END
    ) STORED,
    document TEXT
  );
  CREATE TABLE schedule_requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    bot_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (bot_id, request_id)
  );
  `,
];
