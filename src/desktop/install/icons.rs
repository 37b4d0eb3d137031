//! The icon in the sizes of the theme hicolor, where each desktop looks last.

use std::path::{Path, PathBuf};

use super::NAME;

/// Edge in pixels, and the picture. `build/icons` draws them.
const SIZES: [(u16, &[u8]); 8] = [
    (16, include_bytes!("../../../assets/icons/16.png")),
    (22, include_bytes!("../../../assets/icons/22.png")),
    (24, include_bytes!("../../../assets/icons/24.png")),
    (32, include_bytes!("../../../assets/icons/32.png")),
    (48, include_bytes!("../../../assets/icons/48.png")),
    (64, include_bytes!("../../../assets/icons/64.png")),
    (128, include_bytes!("../../../assets/icons/128.png")),
    (256, include_bytes!("../../../assets/icons/256.png")),
];
/// For every other size.
const SCALABLE: &[u8] = include_bytes!("../../../assets/icons/ringdesk.svg");

/// Each icon with its file below the folder of the user's data.
pub(super) fn all(data: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let theme = data.join("icons/hicolor");
    let mut icons: Vec<_> = SIZES
        .iter()
        .map(|(size, png)| {
            let file = theme.join(format!("{size}x{size}/apps/{NAME}.png"));
            (file, png.to_vec())
        })
        .collect();
    icons.push((
        theme.join(format!("scalable/apps/{NAME}.svg")),
        SCALABLE.to_vec(),
    ));
    icons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_icon_is_as_large_as_its_folder_says() {
        for (size, png) in SIZES {
            // The header's width and height (PNG, section 11.2.2).
            let edge = u32::from(size).to_be_bytes();
            assert_eq!(png[16..20], edge, "{size}");
            assert_eq!(png[20..24], edge, "{size}");
        }
    }
}
