//! What a screen reader does, over AT-SPI on buses of its own: it reads the tree, hears what is
//! announced, and presses buttons.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use zbus::zvariant::{OwnedObjectPath, Structure, Value};
use zbus::{Connection, MatchRule, MessageStream, Proxy};

use crate::desktop_bus::Bus;
use crate::place;
use crate::screen::Screen;

const ACCESSIBLE: &str = "org.a11y.atspi.Accessible";
const REGISTRY: &str = "org.a11y.atspi.Registry";
const ROOT: &str = "/org/a11y/atspi/accessible/root";
/// Where Debian, Fedora and Arch have it.
const LAUNCHERS: [&str; 2] = [
    "/usr/libexec/at-spi-bus-launcher",
    "/usr/lib/at-spi-bus-launcher",
];

/// `ATSPI_ROLE_PAGE_TAB`, `…_PUSH_BUTTON` and `…_SLIDER`.
pub(crate) const TAB: u32 = 37;
pub(crate) const BUTTON: u32 = 43;
pub(crate) const SLIDER: u32 = 51;
/// `ATSPI_ROLE_TOGGLE_BUTTON`: a row that can be chosen, and a button that is.
pub(crate) const TOGGLE: u32 = 62;
/// `ATSPI_ROLE_ENTRY`: a field that is typed in.
pub(crate) const ENTRY: u32 = 79;

/// `ATSPI_STATE_FOCUSED`.
const FOCUSED: u32 = 12;
/// More than one can press between two things of the window.
const MOST_STEPS: usize = 120;
/// How long the keyboard takes at most from one thing to the next; from the last one it may go nowhere.
const A_STEP: Duration = Duration::from_secs(2);

/// A node of somebody's tree: the program on the bus, and which one it is there.
type Address = (String, OwnedObjectPath);

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    address: Address,
    pub(crate) role: u32,
    pub(crate) name: String,
    /// What its text says, where it has one.
    pub(crate) text: String,
}

/// A screen reader that is switched on.
pub(crate) struct Reader<'b> {
    bus: &'b Bus,
    connection: Connection,
    announcements: MessageStream,
    /// Kept for failures: all that was heard.
    heard: Vec<String>,
}

impl<'b> Reader<'b> {
    /// Starts the accessibility bus of a session and says that somebody needs it.
    pub(crate) fn start(bus: &'b Bus, screen: &mut Screen) -> Self {
        let launcher = LAUNCHERS.into_iter().find(|path| Path::new(path).exists());
        let launcher = launcher.unwrap_or_else(|| {
            panic!("at-spi2-core is not installed: `make test` installs what the tests need")
        });
        screen.run(
            Command::new(launcher)
                .arg("--launch-immediately")
                .env("GSETTINGS_BACKEND", "memory"),
        );
        let session = bus.somebody();
        let on_bus = |interface: &'static str| {
            bus.wait(Proxy::new_owned(
                session.clone(),
                "org.a11y.Bus",
                "/org/a11y/bus",
                interface,
            ))
        };
        let launched = on_bus("org.a11y.Bus");
        let address: String = place::until("there is no accessibility bus", || {
            bus.wait(async { Ok(launched.call("GetAddress", &()).await.ok()) })
        });
        let status = on_bus("org.a11y.Status");
        bus.wait(async { Ok(status.set_property("IsEnabled", true).await?) });
        let builder = zbus::connection::Builder::address(address.as_str()).unwrap();
        let connection = bus.wait(builder.build());
        let announcements = events(bus, &connection, "Announcement");
        Self {
            bus,
            connection,
            announcements,
            heard: Vec::new(),
        }
    }

    /// Waits until this is announced.
    pub(crate) fn hear(&mut self, words: &str) {
        let (bus, stream, heard) = (self.bus, &mut self.announcements, &mut self.heard);
        let listened = bus.wait(async {
            let listen = async {
                while let Some(Ok(message)) = stream.next().await {
                    let body = message.body();
                    let Ok(fields) = body.deserialize::<Structure<'_>>() else {
                        continue;
                    };
                    let said = fields.fields().iter().find_map(|field| match field {
                        Value::Value(inner) => inner.downcast_ref::<String>().ok(),
                        _ => None,
                    });
                    heard.extend(said);
                    if heard.last().is_some_and(|said| said == words) {
                        return true;
                    }
                }
                false
            };
            let patience = place::PATIENCE.mul_f32(0.9);
            Ok(tokio::time::timeout(patience, listen)
                .await
                .unwrap_or(false))
        });
        assert!(
            listened,
            "{words:?} is not announced, but {:#?}",
            self.heard
        );
    }

    fn proxy(&self, (program, path): &Address, interface: &'static str) -> Proxy<'static> {
        self.bus.wait(
            zbus::proxy::Builder::new(&self.connection)
                .destination(program.clone())
                .unwrap()
                .path(path.clone())
                .unwrap()
                .interface(interface)
                .unwrap()
                .cache_properties(zbus::proxy::CacheProperties::No)
                .build(),
        )
    }

    /// What an accessible says; none where it went in the meantime.
    fn node(&self, address: &Address) -> Option<(Node, Vec<Address>)> {
        let accessible = self.proxy(address, ACCESSIBLE);
        let text = self.proxy(address, "org.a11y.atspi.Text");
        let asked = async {
            let read = async {
                let role: u32 = accessible.call("GetRole", &()).await?;
                let name: String = accessible.get_property("Name").await?;
                let children: Vec<Address> = accessible.call("GetChildren", &()).await?;
                zbus::Result::Ok((role, name, children))
            };
            let words = text.call::<_, _, String>("GetText", &(0_i32, -1_i32)).await;
            Ok(read
                .await
                .ok()
                .map(|read| (read, words.unwrap_or_default())))
        };
        let ((role, name, children), text) = self.bus.wait(asked)?;
        let node = Node {
            address: address.clone(),
            role,
            name,
            text,
        };
        Some((node, children))
    }

    /// Everything that programs on the display have, from the outside in.
    pub(crate) fn tree(&self) -> Vec<Node> {
        let root = (
            REGISTRY.to_owned(),
            OwnedObjectPath::try_from(ROOT).unwrap(),
        );
        let mut waiting = VecDeque::from([root]);
        let mut all = Vec::new();
        while let Some(address) = waiting.pop_front() {
            if let Some((node, children)) = self.node(&address) {
                waiting.extend(children);
                all.push(node);
            }
        }
        all
    }

    /// Waits until there is a node with this role and name.
    pub(crate) fn find(&self, role: u32, name: &str) -> Node {
        self.find_that(role, name, |node| node.name == name)
    }

    /// Waits until there is a node with this role whose name begins so.
    pub(crate) fn find_beginning(&self, role: u32, name: &str) -> Node {
        self.find_that(role, name, |node| node.name.starts_with(name))
    }

    fn find_that(&self, role: u32, name: &str, is: impl Fn(&Node) -> bool) -> Node {
        let mut last = Vec::new();
        let found = |tree: &[Node]| {
            let mut nodes = tree.iter();
            nodes.find(|node| node.role == role && is(node)).cloned()
        };
        let deadline = std::time::Instant::now() + place::PATIENCE;
        loop {
            let tree = self.tree();
            if let Some(node) = found(&tree) {
                return node;
            }
            last = if tree.is_empty() { last } else { tree };
            assert!(
                std::time::Instant::now() < deadline,
                "there is no {name:?} of role {role} among {last:#?}"
            );
        }
    }

    /// Whether a node has the keyboard.
    pub(crate) fn is_focused(&self, node: &Node) -> bool {
        let accessible = self.proxy(&node.address, ACCESSIBLE);
        let asked = async { Ok(accessible.call("GetState", &()).await.ok()) };
        let states: Option<Vec<u32>> = self.bus.wait(asked);
        let low = states.and_then(|states| states.first().copied());
        low.is_some_and(|low| low & (1 << FOCUSED) != 0)
    }

    /// Waits until a node has the keyboard.
    pub(crate) fn until_focused(&self, node: &Node) {
        place::until(&format!("{node:?} does not get the keyboard"), || {
            self.is_focused(node).then_some(())
        });
    }

    /// Goes by Tab until this has the keyboard.
    pub(crate) fn go_to(&self, screen: &Screen, node: &Node) {
        let mut states = events(self.bus, &self.connection, "StateChanged");
        for _ in 0..MOST_STEPS {
            if self.is_focused(node) {
                return;
            }
            // What changed before is known.
            while states.next().now_or_never().flatten().is_some() {}
            screen.press("Tab");
            let moved = until_something_is_focused(&mut states);
            let moved = async { Ok(tokio::time::timeout(A_STEP, moved).await.is_ok()) };
            let _waited = self.bus.wait(moved);
        }
        panic!("Tab does not reach {node:?}");
    }

    /// Presses a button, as Enter on it would.
    pub(crate) fn press(&self, node: &Node) {
        let action = self.proxy(&node.address, "org.a11y.atspi.Action");
        let done: bool = self.bus.wait(action.call("DoAction", &(0_i32,)));
        assert!(done, "{node:?} cannot be pressed");
    }
}

/// What programs tell of this kind.
fn events(bus: &Bus, connection: &Connection, member: &'static str) -> MessageStream {
    let rule = MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface("org.a11y.atspi.Event.Object")
        .unwrap()
        .member(member)
        .unwrap()
        .build();
    bus.wait(MessageStream::for_match_rule(rule, connection, Some(256)))
}

/// Waits until the keyboard has come to something.
async fn until_something_is_focused(states: &mut MessageStream) {
    while let Some(Ok(message)) = states.next().await {
        let body = message.body();
        let Ok(fields) = body.deserialize::<Structure<'_>>() else {
            continue;
        };
        if let [Value::Str(state), Value::I32(1), ..] = fields.fields()
            && state.as_str() == "focused"
        {
            return;
        }
    }
}

/// Words of the private-use areas are glyphs of an icon font.
pub(crate) fn is_private(letter: char) -> bool {
    matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}
