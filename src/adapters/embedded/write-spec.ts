/** Statements that change one document. */

export const PUT = `INSERT INTO specs (id, revision, deleted, asked, document) VALUES (?, 1, 0, ?, ?)
  ON CONFLICT (id) DO UPDATE SET revision = revision + 1, deleted = 0, asked = excluded.asked, document = excluded.document`;
export const BURY = `UPDATE specs SET revision = revision + 1, deleted = 1, asked = ?, document = NULL
  WHERE id = ? AND deleted = 0`;
export const FORGET_ALL = 'DELETE FROM requests WHERE bot_id = ?';
