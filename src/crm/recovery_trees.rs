//! Which pages of a damaged file belong to which table.
//!
//! A tree is followed from its root. Where a page on the way is damaged, those below it are reached by
//! no one any more, though they are whole: such a page is taken for the table whose rows look like its
//! own, if that can be only one of the tables that miss pages.

use rusqlite::types::Value;

use rusqlite::Connection;

use crate::crm::page_format::{Page, Pages, Record};

/// A tree that the schema has, and what was found of it.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) name: String,
    /// The table that an index is of; none for a table.
    pub(super) index_of: Option<String>,
    /// Whether an index has an entry for each row.
    pub(super) full: bool,
    /// Whether the rows stand in an index's pages: a table without row ids, or an index.
    pub(super) by_key: bool,
    /// The columns in the order of the records.
    pub(super) columns: Vec<Column>,
    /// The pages with rows.
    pub(super) leaves: Vec<u32>,
    /// Whether a page of it is damaged, or its root is not known.
    pub(super) broken: bool,
    /// Its pages that cannot be read at all.
    pub(super) damaged: u64,
    /// Entries, of an index that is whole.
    pub(super) entries: u64,
    /// Where a file that this version made has its root.
    usual_root: Option<u32>,
}

/// A column of a record.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) needed: bool,
    /// Whether the row's key stands for it: the record has null there.
    pub(super) is_key: bool,
}

impl Column {
    fn fits(&self, value: &Value) -> bool {
        match (value, self.kind.as_str()) {
            (Value::Null, _) => !self.needed || self.is_key,
            (_, _) if self.is_key => false,
            (Value::Integer(_), "INTEGER" | "INT" | "REAL" | "ANY" | "")
            | (Value::Text(_), "TEXT" | "ANY" | "")
            | (Value::Real(_), "REAL" | "ANY" | "")
            | (Value::Blob(_), "BLOB" | "ANY" | "") => true,
            (Value::Integer(_) | Value::Text(_) | Value::Real(_) | Value::Blob(_), _) => false,
        }
    }
}

impl Tree {
    /// Whether a record can be one of this tree. Those written before a column was added are shorter.
    pub(super) fn fits(&self, record: &Record) -> bool {
        record.len() <= self.columns.len()
            && self
                .columns
                .iter()
                .skip(record.len())
                .all(|column| !column.needed && self.index_of.is_none())
            && record
                .iter()
                .zip(&self.columns)
                .all(|(value, column)| column.fits(value))
    }

    fn fits_all(&self, page: &Page) -> bool {
        match page {
            Page::TableLeaf(rows) => {
                !self.by_key && !rows.is_empty() && rows.iter().all(|(_, row)| self.fits(row))
            }
            Page::IndexLeaf(rows) => {
                self.by_key && !rows.is_empty() && rows.iter().all(|row| self.fits(row))
            }
            Page::TableInner(_) | Page::IndexInner(..) => false,
        }
    }
}

/// The trees that the schema of an empty database has.
pub(super) fn expected(connection: &Connection) -> rusqlite::Result<Vec<Tree>> {
    let mut trees = Vec::new();
    let mut tables = connection.prepare(
        "SELECT l.name, l.wr, s.rootpage FROM pragma_table_list l
         JOIN sqlite_schema s ON s.name = l.name AND s.type = 'table'
         WHERE l.schema = 'main' AND l.type IN ('table', 'shadow')
            AND l.name NOT LIKE 'sqlite%'",
    )?;
    let tables: Vec<(String, bool, u32)> = tables
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (name, by_key, root) in tables {
        let columns = columns(connection, &name, by_key)?;
        let mut indexes = connection.prepare(
            "SELECT l.name, l.partial, s.rootpage FROM pragma_index_list(?1) l
             JOIN sqlite_schema s ON s.name = l.name AND s.type = 'index'",
        )?;
        let indexes: Vec<(String, bool, u32)> = indexes
            .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (index, partial, root) in indexes {
            let of_index = index_columns(connection, &index, &columns)?;
            trees.push(tree(
                index,
                Some(name.clone()),
                true,
                !partial,
                of_index,
                root,
            ));
        }
        trees.push(tree(name, None, by_key, false, columns, root));
    }
    Ok(trees)
}

fn tree(
    name: String,
    index_of: Option<String>,
    by_key: bool,
    full: bool,
    columns: Vec<Column>,
    root: u32,
) -> Tree {
    Tree {
        name,
        index_of,
        full,
        by_key,
        columns,
        leaves: Vec::new(),
        broken: true,
        damaged: 0,
        entries: 0,
        usual_root: Some(root),
    }
}

/// A table's columns in the order of its records: those of the key come first where rows have no id.
fn columns(connection: &Connection, table: &str, by_key: bool) -> rusqlite::Result<Vec<Column>> {
    let mut query = connection.prepare(
        "SELECT name, upper(type), \"notnull\" AND dflt_value IS NULL, pk
         FROM pragma_table_xinfo(?1) ORDER BY cid",
    )?;
    let read: Vec<(i64, Column)> = query
        .query_map([table], |row| {
            let pk: i64 = row.get(3)?;
            let kind: String = row.get(1)?;
            Ok((
                pk,
                Column {
                    name: row.get(0)?,
                    needed: row.get(2)?,
                    is_key: !by_key && pk == 1 && kind == "INTEGER",
                    kind,
                },
            ))
        })?
        .collect::<rusqlite::Result<_>>()?;
    // A key of several columns is none that stands for the row's id.
    let composed = read.iter().filter(|(pk, _)| *pk > 0).count() > 1;
    let mut ordered = read;
    if by_key {
        ordered.sort_by_key(|(pk, _)| if *pk == 0 { i64::MAX } else { *pk });
    }
    Ok(ordered
        .into_iter()
        .map(|(_, column)| Column {
            is_key: column.is_key && !composed,
            ..column
        })
        .collect())
}

fn index_columns(
    connection: &Connection,
    index: &str,
    of_table: &[Column],
) -> rusqlite::Result<Vec<Column>> {
    let mut query = connection.prepare("SELECT name FROM pragma_index_xinfo(?1) ORDER BY seqno")?;
    let names = query.query_map([index], |row| row.get::<_, Option<String>>(0))?;
    names
        .map(|name| {
            let name = name?;
            let column = of_table
                .iter()
                .find(|column| Some(&column.name) == name.as_ref());
            Ok(match column {
                Some(column) => Column {
                    is_key: false,
                    ..column.clone()
                },
                // The row's id, or an expression.
                None => Column {
                    name: String::new(),
                    kind: "INTEGER".to_owned(),
                    needed: true,
                    is_key: false,
                },
            })
        })
        .collect()
}

/// What was found of all trees.
pub(super) struct Found {
    pub(super) trees: Vec<Tree>,
    /// Pages whose rows nobody can be sure of.
    pub(super) unassigned: u64,
    /// The rows of `sqlite_sequence`: the highest id that each table had.
    pub(super) sequences: Vec<Record>,
    /// Pages of the schema that are damaged.
    pub(super) schema_damaged: u64,
}

/// Finds the pages of the trees in a file.
pub(super) fn find(pages: &Pages, trees: Vec<Tree>) -> Found {
    let mut walk = Walk {
        pages,
        seen: vec![false; pages.count() as usize + 1],
    };
    let mut found = Found {
        trees,
        unassigned: 0,
        sequences: Vec::new(),
        schema_damaged: 0,
    };
    let roots = walk.roots(&mut found);
    for (name, root) in &roots {
        if let Some(tree) = found.trees.iter_mut().find(|tree| tree.name == *name) {
            walk.follow(tree, *root);
        } else if name == "sqlite_sequence" {
            let mut sequence = tree(name.clone(), None, false, false, Vec::new(), *root);
            walk.follow(&mut sequence, *root);
            found.sequences = walk.rows(&sequence);
        } else {
            // A table of another program, or of a version in between: its pages are no orphans.
            let mut other = tree(name.clone(), None, false, false, Vec::new(), *root);
            other.by_key = matches!(
                pages.read(*root, &mut |_| {}).map(|read| read.page),
                Some(Page::IndexLeaf(_) | Page::IndexInner(..))
            );
            walk.follow(&mut other, *root);
        }
    }
    for page in pages.free() {
        walk.see(page);
    }
    // Where the schema is damaged, roots are missing: they are where this version puts them.
    for tree in &mut found.trees {
        let known = roots.iter().any(|(name, _)| *name == tree.name);
        if let Some(root) = tree.usual_root.filter(|_| !known) {
            let unseen = walk.seen.get(root as usize) == Some(&false);
            let read = pages.read(root, &mut |_| {});
            let fits = read.is_some_and(|read| match (&read.page, tree.by_key) {
                (Page::TableInner(_), by_key) => !by_key,
                (Page::IndexInner(_, rows), true) => rows.iter().all(|row| tree.fits(row)),
                (Page::IndexInner(..), false) => false,
                (leaf, _) => tree.fits_all(leaf),
            });
            if unseen && fits {
                walk.follow(tree, root);
            }
        }
    }
    walk.adopt(&mut found);
    found
}

struct Walk<'a> {
    pages: &'a Pages,
    seen: Vec<bool>,
}

impl Walk<'_> {
    /// Takes note of a page; false if it was seen before.
    fn see(&mut self, page: u32) -> bool {
        self.seen
            .get_mut(page as usize)
            .is_some_and(|seen| !std::mem::replace(seen, true))
    }

    fn read(&mut self, page: u32) -> Option<crate::crm::page_format::Read> {
        let mut overflow = Vec::new();
        let read = self.pages.read(page, &mut |page| overflow.push(page));
        for page in overflow {
            self.see(page);
        }
        read
    }

    /// Gathers the pages of a tree from its root.
    fn follow(&mut self, tree: &mut Tree, root: u32) {
        tree.broken = false;
        tree.entries = 0;
        let mut below = vec![root];
        while let Some(page) = below.pop() {
            if !self.see(page) {
                tree.broken = true;
                continue;
            }
            match self.read(page) {
                Some(read)
                    if matches!(read.page, Page::IndexLeaf(_) | Page::IndexInner(..))
                        == tree.by_key =>
                {
                    tree.broken |= read.unreadable > 0;
                    match read.page {
                        Page::TableInner(inner) => below.extend(inner),
                        Page::IndexInner(inner, rows) => {
                            tree.entries += rows.len() as u64;
                            below.extend(inner);
                            tree.leaves.push(page);
                        }
                        Page::IndexLeaf(rows) => {
                            tree.entries += rows.len() as u64;
                            tree.leaves.push(page);
                        }
                        Page::TableLeaf(_) => tree.leaves.push(page),
                    }
                }
                Some(_) | None => {
                    tree.broken = true;
                    tree.damaged += 1;
                }
            }
        }
    }

    /// Finds the roots of all trees, by name.
    fn roots(&mut self, found: &mut Found) -> Vec<(String, u32)> {
        let mut schema = tree(
            "sqlite_schema".to_owned(),
            None,
            false,
            false,
            Vec::new(),
            1,
        );
        self.follow(&mut schema, 1);
        found.schema_damaged = schema.damaged + u64::from(schema.broken && schema.damaged == 0);
        if schema.broken {
            for page in 2..=self.pages.count() {
                if self.seen.get(page as usize) == Some(&false)
                    && let Some(read) = self.pages.read(page, &mut |_| {})
                    && let Page::TableLeaf(rows) = &read.page
                    && !rows.is_empty()
                    && rows.iter().all(|(_, row)| schema_row(row).is_some())
                {
                    self.see(page);
                    schema.leaves.push(page);
                }
            }
        }
        let rows = self.rows(&schema);
        rows.iter()
            .filter_map(schema_row)
            .filter(|(_, root)| *root > 1)
            .collect()
    }

    /// All rows of a table that can be read.
    fn rows(&mut self, tree: &Tree) -> Vec<Record> {
        let mut all = Vec::new();
        for leaf in &tree.leaves {
            if let Some(read) = self.read(*leaf)
                && let Page::TableLeaf(rows) = read.page
            {
                all.extend(rows.into_iter().map(|(_, row)| row));
            }
        }
        all
    }

    /// Gives pages that nobody reaches to the one tree that they can be of.
    fn adopt(&mut self, found: &mut Found) {
        let mut adopted = Vec::new();
        for page in 2..=self.pages.count() {
            if self.seen.get(page as usize) != Some(&false) {
                continue;
            }
            let Some(read) = self.pages.read(page, &mut |_| {}) else {
                continue;
            };
            let mut may_be = found
                .trees
                .iter()
                .enumerate()
                .filter(|(_, tree)| tree.broken && tree.fits_all(&read.page));
            match (may_be.next(), may_be.next()) {
                (Some((tree, _)), None) => adopted.push((tree, page)),
                (Some(_), Some(_)) => found.unassigned += 1,
                (None, _) => {}
            }
        }
        for (tree, page) in adopted {
            // Their long values' pages are no orphans.
            self.read(page);
            if self.see(page)
                && let Some(tree) = found.trees.get_mut(tree)
            {
                tree.leaves.push(page);
            }
        }
    }
}

/// Name and root of a row of the schema; none unless it looks like one.
fn schema_row(row: &Record) -> Option<(String, u32)> {
    let [kind, name, table, root, sql] = row.as_slice() else {
        return None;
    };
    match (kind, name, table, root, sql) {
        (
            Value::Text(kind),
            Value::Text(name),
            Value::Text(_),
            Value::Integer(root),
            Value::Text(_) | Value::Null,
        ) if matches!(kind.as_str(), "table" | "index" | "trigger" | "view") => {
            Some((name.clone(), u32::try_from(*root).ok()?))
        }
        (_, _, _, _, _) => None,
    }
}
