//! A database as an earlier Ringdesk left it, for the start that brings it up.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

/// Its schema, version 7, with a few hundred rows.
const SCHEMA_7: &str = include_str!("schema_7.sql");

pub(crate) fn write(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let connection = Connection::open(folder.join("ringdesk.db")).unwrap();
    connection.execute_batch(SCHEMA_7).unwrap();
}
