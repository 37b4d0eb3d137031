//! Whether a folder lies on a network share, where SQLite's locks do not hold.

use std::path::Path;

/// File systems of other machines by the number that `statfs(2)` tells (Linux' `magic.h`).
const NETWORK: &[(u64, &str)] = &[
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0x564c, "NCP"),
    (0x0102_1997, "9P"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x786f_4256, "VirtualBox share"),
];

/// A program serves the files; which one stands in the mount table only.
const FUSE: u64 = 0x6573_5546;

/// Programs that serve the files of another machine, after `fuse.` in the mount table.
const NETWORK_FUSE: &[&str] = &[
    "sshfs",
    "s3fs",
    "rclone",
    "davfs",
    "davfs2",
    "glusterfs",
    "gvfsd-fuse",
    "smbnetfs",
    "curlftpfs",
    "ceph",
    "mfs",
    "juicefs",
    "gcsfuse",
    "portal",
    "vmhgfs-fuse",
    "kio-fuse",
];

/// Names the network file system that a folder lies on; none when it is local or unknown.
#[cfg(target_os = "linux")]
pub(crate) fn of(folder: &Path) -> Option<String> {
    let magic = rustix::fs::statfs(folder).ok()?.f_type;
    // The type differs between platforms; the number is an unsigned 32-bit one in all of them.
    let magic = u64::try_from(magic).unwrap_or_default() & 0xffff_ffff;
    let mounts = if magic == FUSE {
        std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()
    } else {
        String::new()
    };
    kind(magic, mount_type(&mounts, folder))
}

/// Names the network file system that a folder lies on: not known on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn of(_folder: &Path) -> Option<String> {
    None
}

fn kind(magic: u64, mount_type: Option<&str>) -> Option<String> {
    if magic == FUSE {
        let program = mount_type?.strip_prefix("fuse.")?;
        return NETWORK_FUSE.contains(&program).then(|| program.to_owned());
    }
    NETWORK
        .iter()
        .find(|(number, _)| *number == magic)
        .map(|(_, name)| (*name).to_owned())
}

/// Finds the file system type of the innermost mount that holds a folder (`proc(5)`, mountinfo).
fn mount_type<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    mounts
        .lines()
        .filter_map(|line| {
            let (place, kind) = line.split_once(" - ")?;
            let mount = place.split(' ').nth(4)?.replace("\\040", " ");
            let inside = folder.starts_with(&mount);
            inside.then_some((mount.len(), kind.split(' ').next()?))
        })
        // Of two mounts at one place the later hides the earlier.
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_number() {
        assert_eq!(kind(0x6969, None).as_deref(), Some("NFS"));
        assert_eq!(kind(0xff53_4d42, None).as_deref(), Some("CIFS"));
        assert_eq!(kind(0xfe53_4d42, None).as_deref(), Some("SMB"));
        assert_eq!(kind(0x0102_1997, None).as_deref(), Some("9P"));
        for local in [
            0xef53,
            0x9123_683e,
            0x5846_5342,
            0x0102_1994,
            0x794c_7630,
            0,
        ] {
            assert_eq!(kind(local, Some("fuse.sshfs")), None, "{local:x}");
        }
    }

    #[test]
    fn a_program_serves_a_share_or_a_local_disk() {
        let mounts = "\
22 27 0:21 / /proc rw - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:44 / /home/alice/share\\040one rw - fuse.sshfs alice@host:/ rw
41 27 0:45 / /mnt/disk rw - fuseblk /dev/sdb1 rw
42 27 0:46 / /home/alice/share\\040one/inner rw - fuse.encfs encfs rw
";
        let kind = |folder| kind(FUSE, mount_type(mounts, Path::new(folder)));
        assert_eq!(kind("/home/alice/share one/data").as_deref(), Some("sshfs"));
        assert_eq!(kind("/home/alice/share one/inner/data"), None);
        assert_eq!(kind("/mnt/disk/data"), None);
        assert_eq!(kind("/home/alice"), None);
    }

    #[test]
    fn a_temporary_folder_is_local() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(of(folder.path()), None);
    }
}
