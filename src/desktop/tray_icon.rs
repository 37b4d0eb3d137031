//! The pictures of the tray: the product's icon with a dot for what the phone is doing.

use ksni::Icon;

use super::picture::Standing;

/// Edges in pixels: trays take the one that fits.
const EDGES: [usize; 3] = [22, 32, 48];

/// A picture with eight bits each of red, green, blue and alpha.
#[derive(Debug, Clone)]
pub(super) struct Pixels {
    pub(super) edge: usize,
    pub(super) rgba: Vec<u8>,
}

/// The icon in the sizes of trays, with the dot of a standing.
pub(super) fn icons(product: &Pixels, standing: Standing) -> Vec<Icon> {
    EDGES
        .iter()
        .map(|edge| {
            let mut small = shrunk(product, *edge);
            if let Some(colour) = colour(standing) {
                dot(&mut small, colour);
            }
            argb(&small)
        })
        .collect()
}

/// Green, red and amber as in the window; ready is the icon as it is.
fn colour(standing: Standing) -> Option<[u8; 3]> {
    match standing {
        Standing::Ready => None,
        Standing::Rings | Standing::InCall => Some([0x16, 0xa3, 0x4a]),
        Standing::Away => Some([0xf5, 0x9e, 0x0b]),
        Standing::DoNotDisturb => Some([0xdc, 0x26, 0x26]),
        Standing::NoConnection => Some([0x6b, 0x72, 0x80]),
    }
}

/// Each pixel is the mean of those that it covers.
fn shrunk(from: &Pixels, edge: usize) -> Pixels {
    let mut rgba = Vec::with_capacity(edge * edge * 4);
    for row in 0..edge {
        for column in 0..edge {
            let span = |place: usize| {
                let first = place * from.edge / edge;
                first..((place + 1) * from.edge / edge).max(first + 1)
            };
            let mut sums = [0_usize; 4];
            let mut count = 0;
            for y in span(row) {
                for x in span(column) {
                    let at = (y * from.edge + x) * 4;
                    let Some([r, g, b, a]) = from.rgba.get(at..at + 4) else {
                        continue;
                    };
                    let alpha = usize::from(*a);
                    // Colours of what is transparent do not count.
                    for (sum, part) in sums.iter_mut().zip([r, g, b]) {
                        *sum += usize::from(*part) * alpha;
                    }
                    sums[3] += alpha;
                    count += 1;
                }
            }
            let [r, g, b, alpha] = sums;
            let byte = |value: usize| u8::try_from(value).unwrap_or(u8::MAX);
            let colour = |sum: usize| byte(sum.checked_div(alpha).unwrap_or(0));
            rgba.extend([colour(r), colour(g), colour(b)]);
            rgba.push(byte(alpha.checked_div(count).unwrap_or(0)));
        }
    }
    Pixels { edge, rgba }
}

/// A dot with a white rim in the lower right corner.
fn dot(picture: &mut Pixels, colour: [u8; 3]) {
    let edge = picture.edge;
    let radius = edge / 4;
    let centre = edge - radius - 1;
    let rim = radius.saturating_sub((edge / 22).max(1));
    for (place, pixel) in picture.rgba.chunks_exact_mut(4).enumerate() {
        let across = (place % edge).abs_diff(centre);
        let down = (place / edge).abs_diff(centre);
        let distance = across * across + down * down;
        let [r, g, b] = if distance <= rim * rim {
            colour
        } else if distance <= radius * radius {
            [0xff; 3]
        } else {
            continue;
        };
        pixel.copy_from_slice(&[r, g, b, 0xff]);
    }
}

/// As the tray reads it: ARGB32 in network byte order.
fn argb(picture: &Pixels) -> Icon {
    let mut data = picture.rgba.clone();
    for pixel in data.chunks_exact_mut(4) {
        pixel.rotate_right(1);
    }
    let edge = i32::try_from(picture.edge).unwrap_or(0);
    Icon {
        width: edge,
        height: edge,
        data,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blue() -> Pixels {
        Pixels {
            edge: 64,
            rgba: [0, 0, 0xff, 0xff].repeat(64 * 64),
        }
    }

    #[test]
    fn each_size_has_all_its_pixels_with_the_alpha_first() {
        let icons = icons(&blue(), Standing::Ready);
        let edges: Vec<_> = icons.iter().map(|icon| (icon.width, icon.height)).collect();
        assert_eq!(edges, [(22, 22), (32, 32), (48, 48)]);
        for icon in icons {
            let pixels = usize::try_from(icon.width * icon.height).unwrap();
            assert_eq!(icon.data, [0xff, 0, 0, 0xff].repeat(pixels));
        }
    }

    #[test]
    fn each_standing_is_seen() {
        let centre = |standing| {
            let icon = icons(&blue(), standing).remove(2);
            let at = (35 * 48 + 35) * 4;
            icon.data[at..at + 4].to_vec()
        };
        assert_eq!(centre(Standing::Ready), [0xff, 0, 0, 0xff]);
        assert_eq!(centre(Standing::InCall), [0xff, 0x16, 0xa3, 0x4a]);
        assert_eq!(centre(Standing::DoNotDisturb), [0xff, 0xdc, 0x26, 0x26]);
        assert_ne!(centre(Standing::Away), centre(Standing::NoConnection));
    }

    #[test]
    fn what_is_transparent_has_no_colour() {
        let mut half = blue();
        for pixel in half.rgba.chunks_exact_mut(8) {
            pixel[4..].copy_from_slice(&[0xff, 0, 0, 0]);
        }
        let small = shrunk(&half, 32);
        assert_eq!(small.rgba[..4], [0, 0, 0xff, 0x7f]);
    }
}
