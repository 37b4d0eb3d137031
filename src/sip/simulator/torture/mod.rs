//! What RFC 4475 tortures a reader with: each of its 49 cases by a message of our own, and the
//! reaction of a phone.

mod cases;
mod datagrams;
mod responses;
mod streams;
