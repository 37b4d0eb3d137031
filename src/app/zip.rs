//! A ZIP archive (APPNOTE 6.3): what every system opens without a further program.

use std::io::{self, Write as _};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Deflate, the method 8.
const DEFLATE: u16 = 8;
/// Bit 11: names are UTF-8.
const UTF8: u16 = 1 << 11;
/// What a reader must know: directories and deflate, 2.0.
const NEEDED: u16 = 20;
/// Made on Unix, so that the rights count.
const MADE_BY: u16 = 3 << 8 | NEEDED;
/// A file that its owner may read and write.
const RIGHTS: u32 = 0o100_600 << 16;

/// Packs files under names such as `log/ringdesk.log`; the time is that of all of them.
///
/// # Errors
///
/// Fails when they are too large for the format without extensions: 65,535 files, 4 GiB.
pub(super) fn zip(files: &[(&str, &[u8])], at: Timestamp) -> io::Result<Vec<u8>> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    let moment = dos_time(at);
    for (name, content) in files {
        let offset = size(archive.len())?;
        let mut checksum = Crc::new();
        checksum.update(content);
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
        packed.write_all(content)?;
        let packed = packed.finish()?;
        // What the header of the file and the directory tell alike.
        let mut facts = Vec::new();
        facts.extend(NEEDED.to_le_bytes());
        facts.extend(UTF8.to_le_bytes());
        facts.extend(DEFLATE.to_le_bytes());
        facts.extend(moment.to_le_bytes());
        facts.extend(checksum.sum().to_le_bytes());
        facts.extend(size(packed.len())?.to_le_bytes());
        facts.extend(size(content.len())?.to_le_bytes());
        facts.extend(count(name.len())?.to_le_bytes());
        // No extra field.
        facts.extend([0; 2]);
        archive.extend(b"PK\x03\x04");
        archive.extend(&facts);
        archive.extend(name.as_bytes());
        archive.extend(packed);
        directory.extend(b"PK\x01\x02");
        directory.extend(MADE_BY.to_le_bytes());
        directory.extend(&facts);
        // No comment, the first disk, no inner attributes.
        directory.extend([0; 6]);
        directory.extend(RIGHTS.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (begin, files) = (size(archive.len())?, count(files.len())?);
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06");
    // One disk.
    archive.extend([0; 4]);
    archive.extend(files.to_le_bytes());
    archive.extend(files.to_le_bytes());
    archive.extend(size(directory.len())?.to_le_bytes());
    archive.extend(begin.to_le_bytes());
    // No comment.
    archive.extend([0; 2]);
    Ok(archive)
}

fn size(octets: usize) -> io::Result<u32> {
    u32::try_from(octets).map_err(too_large)
}

fn count(number: usize) -> io::Result<u16> {
    u16::try_from(number).map_err(too_large)
}

fn too_large(_number: std::num::TryFromIntError) -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        "it is too large for an archive",
    )
}

/// The date and time of MS-DOS: two seconds are its smallest step, 1980 its first year. It knows no time zone;
/// ours is UTC, as in the log.
fn dos_time(at: Timestamp) -> u32 {
    let at = at.to_zoned(TimeZone::UTC);
    let part = |value: i32| u32::try_from(value).unwrap_or_default();
    let (year, month, day) = (
        i32::from(at.year()) - 1980,
        at.month().into(),
        at.day().into(),
    );
    let (hour, minute, second) = (at.hour().into(), at.minute().into(), at.second().into());
    part(year.clamp(0, 127)) << 25
        | part(month) << 21
        | part(day) << 16
        | part(hour) << 11
        | part(minute) << 5
        | part(second) >> 1
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_was_packed_is_read_again() {
        let long = "all the same ".repeat(10_000);
        let files: [(&str, &[u8]); 3] = [
            ("about.txt", b"short"),
            ("log/größe.log", long.as_bytes()),
            ("empty", b""),
        ];
        let archive = zip(&files, "2026-11-29T21:05:43Z".parse().unwrap()).unwrap();
        assert!(archive.len() < 1_000);
        // By the headers of the files, as a reader of a stream does.
        let mut rest = archive.as_slice();
        for (name, content) in files {
            let word = |at: usize| usize::from(u16::from_le_bytes([rest[at], rest[at + 1]]));
            let packed = word(18) + (word(20) << 16);
            assert_eq!(&rest[..4], b"PK\x03\x04");
            assert_eq!(
                (word(10), word(12)),
                (21 << 11 | 5 << 5 | 21, 46 << 9 | 11 << 5 | 29)
            );
            let begin = 30 + word(26);
            assert_eq!(&rest[30..begin], name.as_bytes());
            let mut read = Vec::new();
            let mut decoder = flate2::read::DeflateDecoder::new(&rest[begin..begin + packed]);
            decoder.read_to_end(&mut read).unwrap();
            assert_eq!(read, content);
            rest = &rest[begin + packed..];
        }
        assert!(rest.starts_with(b"PK\x01\x02"));
        assert_eq!(
            &archive[archive.len() - 22..archive.len() - 18],
            b"PK\x05\x06"
        );
    }

    /// Another program's opinion.
    #[test]
    fn python_finds_it_sound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        let files: [(&str, &[u8]); 2] = [("a/b.txt", b"one"), ("c", b"two")];
        std::fs::write(&path, zip(&files, Timestamp::UNIX_EPOCH).unwrap()).unwrap();
        let tested = std::process::Command::new("python3")
            .args(["-m", "zipfile", "-t"])
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&tested.stdout).into_owned();
        assert!(tested.status.success() && said.contains("Done"), "{said}");
    }
}
