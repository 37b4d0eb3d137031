//! The pages of a list without end that are known: each begins where the one before it says.

use std::ops::Range;

/// How many rows before the end the next page is asked for.
pub(crate) const AHEAD: usize = 40;

/// The known pages of one list, in its order.
#[derive(Debug)]
pub(crate) struct Spans<Key, Cursor> {
    /// Which list they belong to.
    of: Key,
    spans: Vec<Span<Cursor>>,
}

/// A page: where it begins and how many rows it had.
#[derive(Debug, Clone)]
struct Span<Cursor> {
    after: Option<Cursor>,
    rows: usize,
}

impl<Key: Default, Cursor> Default for Spans<Key, Cursor> {
    fn default() -> Self {
        Self::of(Key::default())
    }
}

impl<Key, Cursor> Spans<Key, Cursor> {
    /// A list of which only the beginning is known.
    pub(crate) fn of(of: Key) -> Self {
        let first = Span {
            after: None,
            rows: 0,
        };
        Self {
            of,
            spans: vec![first],
        }
    }

    /// Which list they belong to.
    pub(crate) fn key(&self) -> &Key {
        &self.of
    }

    /// How many rows are known.
    pub(crate) fn rows(&self) -> usize {
        self.spans.iter().map(|span| span.rows).sum()
    }

    /// The last page that is known.
    pub(crate) fn last(&self) -> usize {
        self.spans.len().saturating_sub(1)
    }

    /// For each row: its page and its place in it.
    pub(crate) fn places(&self, rows: Range<usize>) -> Vec<(usize, usize)> {
        let mut begin = 0;
        let mut places = Vec::with_capacity(rows.len());
        for (index, span) in self.spans.iter().enumerate() {
            let end = begin + span.rows;
            for row in rows.start.max(begin)..rows.end.min(end) {
                places.push((index, row - begin));
            }
            begin = end;
        }
        places
    }
}

impl<Key: PartialEq, Cursor: Clone + PartialEq> Spans<Key, Cursor> {
    /// Belongs to this list from now on; true where it was another one, whose pages are forgotten.
    pub(crate) fn show(&mut self, of: Key) -> bool {
        let other = self.of != of;
        if other {
            *self = Self::of(of);
        }
        other
    }

    /// Where a page begins: none inside for the first one, none at all where it is not known any more.
    pub(crate) fn begin(&self, index: usize) -> Option<Option<Cursor>> {
        self.spans.get(index).map(|span| span.after.clone())
    }

    /// Learns how many rows a page has and where the next one begins.
    pub(crate) fn learn(&mut self, index: usize, rows: usize, next: Option<Cursor>) {
        if let Some(span) = self.spans.get_mut(index) {
            span.rows = rows;
        }
        let follows = self.spans.get(index + 1).map(|span| span.after.clone());
        if follows == next.clone().map(Some) {
            return;
        }
        // Rows came or went since: what follows begins elsewhere now.
        self.spans.truncate(index + 1);
        if next.is_some() {
            self.spans.push(Span {
                after: next,
                rows: 0,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_across_pages() {
        let mut spans: Spans<(), u32> = Spans::default();
        assert!(spans.places(0..4).is_empty());
        spans.learn(0, 3, Some(10));
        spans.learn(1, 0, Some(20));
        spans.learn(2, 2, None);
        assert_eq!((spans.rows(), spans.last()), (5, 2));
        assert_eq!(spans.places(2..5), [(0, 2), (2, 0), (2, 1)]);
        assert_eq!(spans.places(4..9), [(2, 1)]);
    }

    #[test]
    fn what_follows_a_page_is_forgotten_when_it_begins_elsewhere() {
        let mut spans: Spans<&str, u32> = Spans::of("all");
        spans.learn(0, 3, Some(10));
        spans.learn(1, 3, Some(20));
        spans.learn(0, 3, Some(10));
        assert_eq!((spans.rows(), spans.begin(2)), (6, Some(Some(20))));
        spans.learn(0, 3, Some(11));
        assert_eq!((spans.rows(), spans.begin(1)), (3, Some(Some(11))));
        assert_eq!(spans.begin(2), None);
        assert!(!spans.show("all"));
        assert!(spans.show("missed"));
        assert_eq!((spans.rows(), spans.begin(0)), (0, Some(None)));
    }
}
