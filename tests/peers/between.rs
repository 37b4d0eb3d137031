//! Somebody in between, who changes what goes by: datagrams of SIP between one caller and one callee.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often it looks whether it shall stop.
const GLANCE: Duration = Duration::from_millis(50);

/// A running one.
pub(crate) struct Between {
    port: u16,
    stops: Arc<AtomicBool>,
    thread: JoinHandle<u32>,
}

impl Between {
    /// Passes on what comes to its port to the callee, and back; `change` gives another text of the
    /// same length for what the callee answers with 200 to the caller, or none.
    pub(crate) fn start(callee: u16, change: fn(&str) -> Option<String>) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        socket.set_read_timeout(Some(GLANCE)).unwrap();
        let callee = SocketAddr::from((Ipv4Addr::LOCALHOST, callee));
        let stops = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stops);
        let thread = thread::spawn(move || {
            let mut caller = None;
            let mut changed = 0;
            let mut buffer = [0; 65_536];
            while !stop.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else {
                    continue;
                };
                let datagram = &buffer[..length];
                if from != callee {
                    caller = Some(from);
                    socket.send_to(datagram, callee).unwrap();
                    continue;
                }
                let text = String::from_utf8_lossy(datagram);
                let other = change(&text).filter(|_| text.starts_with("SIP/2.0 200"));
                changed += u32::from(other.is_some());
                let passed = other.map_or_else(|| datagram.to_vec(), String::into_bytes);
                if let Some(caller) = caller {
                    socket.send_to(&passed, caller).unwrap();
                }
            }
            changed
        });
        Self {
            port,
            stops,
            thread,
        }
    }

    /// Where it is called.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends it; how many answers it changed.
    pub(crate) fn stop(self) -> u32 {
        self.stops.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
