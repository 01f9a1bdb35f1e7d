//! Files written whole or not at all.

use std::io::{self, Write as _};
use std::path::Path;

use tempfile::NamedTempFile;

/// Writes a file by way of a temporary one beside it, so that readers see the old content or the new, never a part.
///
/// What is there and no file, such as `/dev/stdout` or a pipe, is written to as it is.
///
/// # Errors
/// When the folder can't be written to; the old file then stays as it was.
pub fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if is_stream(path) {
        return std::fs::write(path, content);
    }
    beside(path, content)?
        .persist(path)
        .map_err(|error| error.error)?;
    Ok(())
}

/// Tells whether a file could be written now, which leaves it as it is.
///
/// # Errors
/// When the folder can't be written to, or the path is a folder.
pub fn expect_writable(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if is_stream(path) {
        return Ok(());
    }
    beside(path, b"").map(drop)
}

/// Writes a file that is there anew, as [`write_whole`] does: where a link leads, and as open to others as it was.
///
/// # Errors
/// When it is not there, or the folder can't be written to; it then stays as it was.
pub fn rewrite(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = path.canonicalize()?;
    let permissions = std::fs::metadata(&path)?.permissions();
    let file = beside(&path, content)?;
    file.as_file().set_permissions(permissions)?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes a file as [`write_whole`] does, so that it outlasts a crash of the machine.
///
/// # Errors
/// When the folder can't be written to.
pub fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    write_whole(path, content)?;
    sync_folder(path)
}

/// Writes a file that is not there yet, whole or not at all.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when it is there, which leaves it as it was; else as [`write_whole`].
pub fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    beside(path, content)?
        .persist_noclobber(path)
        .map_err(|error| error.error)?;
    Ok(())
}

/// Gives a file another name in its folder, in place of one that has it, so that it outlasts a crash.
///
/// # Errors
/// When the folder can't be written to; both files then stay as they were.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    sync_folder(to)
}

/// Removes a file, if it is there.
///
/// # Errors
/// When the folder can't be written to.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed?,
    }
    sync_folder(path)
}

/// Makes names that were given or taken outlast a crash of the machine, where folders can be asked for that.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        std::fs::File::open(folder(path))?.sync_all()?;
    }
    Ok(())
}

fn is_stream(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn beside(path: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // As open to others as any new file, which the umask says, not closed as temporary files are.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder(path)).map_err(untold)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Leaves the temporary file's name out of an error: whoever reads it has named another.
fn untold(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((told, _)) => io::Error::new(error.kind(), told.to_owned()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_a_new_one_never_replaces() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        write_new(&path, b"one").unwrap();
        let again = write_new(&path, b"two").unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        write_whole(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        let files = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "nothing temporary is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_is_written_anew_keeps_its_mode_and_its_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a.yaml"), folder.path().join("b.yaml"));
        assert!(rewrite(&path, b"x").is_err() && !path.exists());
        write_new(&path, b"one").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        symlink(&path, &link).unwrap();
        rewrite(&link, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        let mode = |path| {
            std::fs::symlink_metadata(path)
                .unwrap()
                .permissions()
                .mode()
                & 0o777
        };
        assert_eq!(mode(&path), 0o600);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_replaced_by_one() {
        let null = Path::new("/dev/null");
        expect_writable(null).unwrap();
        write_whole(null, b"x").unwrap();
        assert!(is_stream(null));
    }

    #[test]
    fn a_file_in_a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("no/plan.json");
        assert!(expect_writable(&path).is_err() && write_whole(&path, b"x").is_err());
        assert!(expect_writable(folder.path()).is_err());
        expect_writable(&folder.path().join("plan.json")).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let error = write_whole(&folder.path().join("no/plan.json"), b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(!error.to_string().contains("tmp"), "{error}");
    }
}
