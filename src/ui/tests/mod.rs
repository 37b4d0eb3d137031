//! The window driven by its accessible names, with made-up snapshots and rows.

mod access;
mod agent_state;
mod audit;
mod call_card;
mod callbacks;
mod callers;
mod colleagues;
mod dialing;
mod every_scene;
mod first_run;
mod fixture;
mod forms;
mod ladders;
mod people;
mod player;
mod popup;
mod records;
mod routing;
mod rows;
mod scenes;
mod sound_check;
mod transfers;
mod views;
mod work;
