//! Where the keyboard is: what it has just reached is brought into sight, whatever kind of control it
//! is. egui does so for nothing but the field that is typed in.

use egui::accesskit::{Action, ActionRequest, TreeId};
use egui::{Event, Id, Ui};

/// So many frames it is looked after: what stands above a control may still find its height.
const FRAMES: u8 = 3;

/// What had the keyboard last, and for how many frames it is still looked after.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Followed {
    control: Option<Id>,
    left: u8,
}

/// Looks, at the beginning of a frame, where the keyboard went in the last ones.
pub(crate) fn follow(ui: &Ui, followed: &mut Followed) {
    let focused = ui.ctx().memory(egui::Memory::focused);
    if focused != followed.control {
        *followed = Followed {
            control: focused,
            left: FRAMES,
        };
    }
    if followed.left == 0 {
        return;
    }
    followed.left -= 1;
    let Some(control) = focused.and_then(|id| ui.ctx().read_response(id)) else {
        return;
    };
    if control
        .interact_rect
        .contains_rect(control.rect.shrink(1.0))
    {
        return;
    }
    // What a screen reader would ask for.
    let wish = ActionRequest {
        action: Action::ScrollIntoView,
        target_tree: TreeId::ROOT,
        target_node: control.id.accesskit_id(),
        data: None,
    };
    ui.input_mut(|input| input.events.push(Event::AccessKitActionRequest(wish)));
}
