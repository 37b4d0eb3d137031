//! A small telephone system on loopback, so that anyone can try and test the phone without a PBX.

mod guard;
mod hop;
mod registrar;
mod server;

pub use registrar::Lifetimes;
pub use server::ServerOptions;
