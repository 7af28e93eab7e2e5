//! Files that only this node's user may read. Each appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use zeroize::Zeroizing;

/// The largest file that is read as a key or certificate.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Writes `bytes` beside `dir/name`, mode 0600, and renames it into place once it is on disk.
pub fn write_private(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let fresh = dir.join(format!("{name}.new"));
    match fs::remove_file(&fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, dir.join(name))?;
    File::open(dir)?.sync_all()
}

/// Reads a file that must not be readable by group or others.
pub fn read_private(dir: &Path, name: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = File::open(dir.join(name))?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        let why = format!("{name} is readable by others than its owner");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_no_more_is_read_than_a_key_may_have() {
        let folder = tempfile::tempdir().unwrap();
        let most = usize::try_from(FILE_BYTES_MAX).unwrap();
        write_private(folder.path(), "key", &vec![7; most + 100]).unwrap();
        assert_eq!(read_private(folder.path(), "key").unwrap().len(), most);
    }
}
