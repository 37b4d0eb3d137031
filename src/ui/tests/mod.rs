//! The window driven by its accessible names, with made-up snapshots and rows.

mod call_card;
mod colleagues;
mod dialing;
mod fixture;
mod forms;
mod ladders;
mod popup;
mod records;
mod sound_check;
mod transfers;
mod views;
mod work;
