//! What tests and measurements of real sound share.

mod server;
mod side;

pub(crate) use server::SoundServer;
pub(crate) use side::{Side, connect, device, null_devices};
