//! Through the kernel, with the calls that a spool makes.

use std::fs::{self, File};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use facteur_faultdisk::{Call, FaultDisk, Left, When};
use tempfile::TempDir;

fn mounted() -> Option<(FaultDisk, TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    FaultDisk::mount_or_skip(folder.path()).map(|disk| (disk, folder))
}

fn store(path: &Path, octets: &[u8]) -> File {
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .unwrap();
    file.write_all_at(octets, 0).unwrap();
    file
}

fn flush_names(path: &Path) {
    File::open(path).unwrap().sync_all().unwrap();
}

fn number(done: io::Result<()>) -> Option<i32> {
    done.unwrap_err().raw_os_error()
}

#[test]
fn nothing_that_was_not_flushed_survives_a_cut() {
    let Some((disk, folder)) = mounted() else {
        return;
    };
    let root = folder.path();
    let kept = store(&root.join("kept"), b"flushed");
    kept.sync_data().unwrap();
    drop(store(&root.join("unnamed"), b"flushed, but not its name"));
    File::open(root.join("unnamed"))
        .unwrap()
        .sync_all()
        .unwrap();
    fs::rename(root.join("unnamed"), root.join("renamed")).unwrap();
    // Only now: of the others the directory knows nothing durable.
    drop(store(&root.join("third"), b"x"));
    fs::remove_file(root.join("renamed")).unwrap();
    flush_names(root);
    drop(store(&root.join("late"), b"never flushed"));
    kept.write_all_at(b"FLUSHED and more", 0).unwrap();
    assert_eq!(fs::read(root.join("kept")).unwrap(), b"FLUSHED and more");
    disk.cut();
    assert_eq!(number(kept.sync_data()), Some(5), "the machine is off");
    drop(kept);
    disk.power_on(Left::Nothing);
    assert_eq!(fs::read(root.join("kept")).unwrap(), b"flushed");
    assert_eq!(fs::read(root.join("third")).unwrap(), b"");
    let names = fs::read_dir(root).unwrap().count();
    assert_eq!(names, 2, "late and renamed are gone");
}

#[test]
fn vectored_writes_land_in_order_and_flushed_lengths_survive() {
    let Some((disk, folder)) = mounted() else {
        return;
    };
    let path = folder.path().join("log");
    let file = store(&path, b"");
    let parts: Vec<Vec<u8>> = (0..300_u16)
        .map(|part| vec![part.to_le_bytes()[0]; 700])
        .collect();
    let slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut written = 0;
    while written < 300 * 700 {
        let rest = &parts.concat()[written..];
        let some = if written == 0 {
            rustix::io::pwritev(&file, &slices, 0).unwrap()
        } else {
            file.write_at(rest, u64::try_from(written).unwrap())
                .unwrap()
        };
        written += some;
    }
    file.sync_data().unwrap();
    flush_names(folder.path());
    file.set_len(1_000).unwrap();
    disk.cut();
    drop(file);
    disk.power_on(Left::Nothing);
    assert_eq!(fs::read(path).unwrap(), parts.concat());
}

#[test]
fn a_failed_flush_is_told_once_and_has_lost_its_data() {
    let Some((disk, folder)) = mounted() else {
        return;
    };
    let path = folder.path().join("log");
    let file = store(&path, b"before");
    file.sync_data().unwrap();
    flush_names(folder.path());
    disk.fail(Call::Flush, When::OnceAfter(0));
    file.write_all_at(b"lost!!", 0).unwrap();
    assert_eq!(number(file.sync_data()), Some(5));
    file.sync_data().unwrap();
    disk.cut();
    drop(file);
    disk.power_on(Left::Nothing);
    assert_eq!(fs::read(path).unwrap(), b"before");
}

#[test]
fn room_inodes_and_the_right_to_write_run_out_and_come_back() {
    const NO_SPACE: Option<i32> = Some(28);
    let Some((disk, folder)) = mounted() else {
        return;
    };
    let path = folder.path().join("file");
    let file = store(&path, &[1; 4_096]);
    disk.leave_free(4_096);
    assert_eq!(rustix::fs::statvfs(folder.path()).unwrap().f_bavail, 1);
    file.write_all_at(&[2; 4_096], 4_096).unwrap();
    file.write_all_at(&[3; 4_096], 0).unwrap();
    assert_eq!(number(file.write_all_at(b"x", 8_192)), NO_SPACE);
    assert_eq!(number(file.set_len(9_000)), NO_SPACE);
    fs::remove_file(&path).unwrap();
    assert_eq!(
        number(file.write_all_at(b"x", 8_192)),
        NO_SPACE,
        "an open file keeps its room"
    );
    drop(file);
    disk.leave_inodes(Some(1));
    drop(store(&path, &[4; 8_192]));
    let second = folder.path().join("second");
    assert_eq!(number(File::create(&second).map(drop)), NO_SPACE);
    disk.leave_inodes(None);
    disk.set_read_only(true);
    assert_eq!(number(File::create(&second).map(drop)), Some(30));
    disk.mend();
    disk.make_room();
    drop(store(&second, &[5; 100_000]));
}

#[test]
fn locks_and_directories_work_as_on_any_disk() {
    let Some((disk, folder)) = mounted() else {
        return;
    };
    let inner = folder.path().join("a");
    fs::create_dir(&inner).unwrap();
    flush_names(folder.path());
    let lock = store(&inner.join("lock"), b"");
    let other = File::open(inner.join("lock")).unwrap();
    lock.lock().unwrap();
    assert!(other.try_lock().is_err());
    drop(lock);
    other.lock().unwrap();
    for at in 0..300 {
        drop(store(&inner.join(format!("a-rather-long-name-{at}")), b"x"));
    }
    assert_eq!(fs::read_dir(&inner).unwrap().count(), 301);
    drop(other);
    drop(disk);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "unmounted");
}
