//! Controls at the right end of a row, in the order in which they are read: a layout from right to left
//! would have the keyboard go through them backwards.

use egui::{Align, Layout, Ui};

/// Adds them. How wide they are together is learned from drawing them once.
pub(crate) fn at_end_ui<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let id = ui.scope_id().with("at the end");
    let known: Option<f32> = ui.data(|data| data.get_temp(id));
    let room = ui.available_width();
    ui.add_space((room - known.unwrap_or(room)).max(0.0));
    let layout = Layout::left_to_right(Align::Center);
    let drawn = ui.with_layout(layout, |ui| {
        let inner = add(ui);
        (inner, ui.min_rect().width())
    });
    let (inner, width) = drawn.inner;
    if known != Some(width) {
        ui.data_mut(|data| data.insert_temp(id, width));
        ui.ctx()
            .request_discard("the controls at the end are as wide now");
    }
    inner
}
