//! The icon in the tray (StatusNotifierItem): what the phone is doing, who waits for a call back, and
//! a menu. Where the desktop has no tray it waits until one comes.

use ksni::menu::{RadioGroup, RadioItem, StandardItem};
use ksni::{Category, Handle, Icon, MenuItem, Status, ToolTip, Tray, TrayMethods as _};

use super::Part;
use super::bus::{Bus, answer};
use super::picture::{Picture, Standing};
use super::tray_icon;
use crate::control::Command;
use crate::crm::row::AgentState;
use crate::ui::text;

/// In the order of the menu.
const STATES: [AgentState; 4] = [
    AgentState::Available,
    AgentState::Break,
    AgentState::WrapUp,
    AgentState::DoNotDisturb,
];

/// What the tray shows of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Face {
    standing: Standing,
    agent: AgentState,
    to_call_back: u64,
}

/// The icon with its menu.
struct Item {
    part: Part,
    product: tray_icon::Pixels,
    face: Face,
}

/// Shows the icon while the setting says so, until the end.
pub(super) async fn show(mut part: Part, buses: Bus) {
    let mut shown: Option<(Handle<Item>, Face)> = None;
    loop {
        let picture = part.look();
        let face = Face::of(&picture);
        match &mut shown {
            Some((handle, _)) if !picture.settings.tray => {
                handle.shutdown().await;
                shown = None;
            }
            Some((_, seen)) if *seen == face => {}
            Some((handle, seen)) => {
                *seen = face;
                let updated = handle.update(|item: &mut Item| item.face = face);
                drop(answer(async { Ok(updated.await) }).await);
            }
            None if picture.settings.tray => {
                // Without a bus there is no tray, and that is told already.
                if buses.session().await.is_none() {
                    return;
                }
                let item = Item {
                    part: part.clone(),
                    product: crate::ui::icon_picture().into(),
                    face,
                };
                match item.assume_sni_available(true).spawn().await {
                    Ok(handle) => shown = Some((handle, face)),
                    Err(error) => {
                        tracing::warn!("no icon in the tray: {error}");
                        return;
                    }
                }
            }
            None => {}
        }
        if !part.changed().await {
            break;
        }
    }
    if let Some((handle, _)) = shown {
        handle.shutdown().await;
    }
}

impl Face {
    fn of(picture: &Picture) -> Self {
        Self {
            standing: picture.standing,
            agent: picture.agent,
            to_call_back: picture.to_call_back,
        }
    }

    fn words(self) -> &'static str {
        match self.standing {
            Standing::Rings => text::RINGS,
            Standing::InCall => text::IN_CALL,
            Standing::NoConnection => text::NO_CONNECTION,
            Standing::Ready => text::READY,
            Standing::DoNotDisturb | Standing::Away => text::agent_state(self.agent),
        }
    }
}

impl From<(usize, Vec<u8>)> for tray_icon::Pixels {
    fn from((edge, rgba): (usize, Vec<u8>)) -> Self {
        Self { edge, rgba }
    }
}

impl Tray for Item {
    fn id(&self) -> String {
        "ringdesk".to_owned()
    }

    fn category(&self) -> Category {
        Category::Communications
    }

    fn title(&self) -> String {
        text::PRODUCT.to_owned()
    }

    fn status(&self) -> Status {
        let waits = self.face.to_call_back > 0 || self.face.standing == Standing::Rings;
        if waits {
            Status::NeedsAttention
        } else {
            Status::Active
        }
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        tray_icon::icons(&self.product, self.face.standing)
    }

    fn attention_icon_pixmap(&self) -> Vec<Icon> {
        // Whom to call back is red, but not in the place of what is going on.
        let standing = match self.face.standing {
            Standing::Ready => Standing::DoNotDisturb,
            other => other,
        };
        tray_icon::icons(&self.product, standing)
    }

    fn tool_tip(&self) -> ToolTip {
        let waiting = match self.face.to_call_back {
            0 => String::new(),
            count => text::to_call_back_count(count),
        };
        ToolTip {
            title: format!("{}: {}", text::PRODUCT, self.face.words()),
            description: waiting,
            ..ToolTip::default()
        }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        self.part.send(Command::Raise);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        let selected = STATES.iter().position(|state| *state == self.face.agent);
        let options = STATES.map(|state| RadioItem {
            label: text::agent_state(state).to_owned(),
            ..RadioItem::default()
        });
        vec![
            StandardItem {
                label: text::SHOW_WINDOW.to_owned(),
                activate: Box::new(|item: &mut Self| item.part.send(Command::Raise)),
                ..StandardItem::default()
            }
            .into(),
            MenuItem::Separator,
            RadioGroup {
                selected: selected.unwrap_or_default(),
                select: Box::new(|item: &mut Self, chosen| {
                    if let Some(state) = STATES.get(chosen) {
                        item.part
                            .send(Command::SetAgentState(*state, String::new()));
                    }
                }),
                options: options.into(),
            }
            .into(),
            MenuItem::Separator,
            StandardItem {
                label: text::QUIT.to_owned(),
                activate: Box::new(|item: &mut Self| item.part.send(Command::Quit)),
                ..StandardItem::default()
            }
            .into(),
        ]
    }
}
