//! Folders that only their owner may enter.

use std::path::Path;

/// Makes a folder and those above it; new ones are the owner's alone (0700), old ones stay as they are.
pub(crate) fn create(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}
