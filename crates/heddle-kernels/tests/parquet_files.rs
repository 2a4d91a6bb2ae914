//! Parquet in and out: pieces, projections, and files that are not what they claim.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use heddle_kernels::error::Code;
use heddle_kernels::parquet_read::{Piece, inspect, inspect_all, read};
use heddle_kernels::parquet_write::{Codec, write};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static FOLDERS: AtomicU32 = AtomicU32::new(0);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("heddle-k-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sample_table(rows: i64) -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("origin", DataType::Utf8, true),
        Field::new("delay", DataType::Int64, true),
    ]);
    let names =
        StringArray::from_iter((0..rows).map(|r| (r % 5 != 0).then(|| format!("P{}", r % 7))));
    let delays = Int64Array::from_iter_values(0..rows);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(names), Arc::new(delays)])
        .expect("a table")
}

fn piece(file: &str, offset: usize, rows: usize) -> Piece {
    Piece {
        file: file.to_owned(),
        row_groups: vec![0],
        offset,
        rows,
    }
}

#[test]
fn every_codec_round_trips() {
    let folder = Folder::new();
    for (name, codec) in [("z", Codec::Zstd), ("s", Codec::Snappy), ("n", Codec::None)] {
        for rows in [0, 1, 5000] {
            let path = folder.file(&format!("{name}{rows}.parquet"));
            let before = sample_table(rows);
            let bytes = write(&before, &path, codec).expect("written");
            assert_eq!(fs::metadata(&path).expect("a file").len(), bytes);
            let info = inspect(&path, None).expect("a footer");
            assert_eq!(
                info.row_groups.iter().map(|g| g.rows).sum::<u64>(),
                rows as u64
            );
            let groups = (0..info.row_groups.len()).collect();
            let whole = Piece {
                file: path,
                row_groups: groups,
                offset: 0,
                rows: rows as usize,
            };
            assert_eq!(read(&whole, None).expect("rows"), before);
        }
    }
}

#[test]
fn pieces_take_runs_of_rows_and_columns_in_any_order() {
    let folder = Folder::new();
    let path = folder.file("a.parquet");
    write(&sample_table(5000), &path, Codec::Zstd).expect("written");
    let columns = ["delay".to_owned(), "origin".to_owned()];
    let rows = read(&piece(&path, 1234, 10), Some(&columns)).expect("rows");
    assert_eq!(rows.schema().field(0).name(), "delay");
    let delays = rows.column(0).as_primitive::<Int64Type>();
    assert_eq!(delays.values(), &(1234..1244).collect::<Vec<i64>>()[..]);
    assert_eq!(rows.column(1).null_count(), 2);
}

#[test]
fn errors_name_file_column_and_remedy() {
    let folder = Folder::new();
    let path = folder.file("a.parquet");
    write(&sample_table(100), &path, Codec::Zstd).expect("written");

    let err = inspect(&folder.file("none.parquet"), None).expect_err("no such file");
    assert_eq!(err.code, Code::FileMissing);
    assert!(err.message.contains("none.parquet"), "{err}");

    let err = inspect(&path, Some(&["delai".to_owned()])).expect_err("no such column");
    assert_eq!(err.code, Code::ColumnUnknown);
    assert!(err.message.contains("Did you mean 'delay'?"), "{err}");

    let err = read(&piece(&path, 0, 101), None).expect_err("too few rows");
    assert_eq!(err.code, Code::ParquetCorrupt);
    let gone = Piece {
        row_groups: vec![3],
        ..piece(&path, 0, 1)
    };
    assert_eq!(
        read(&gone, None).expect_err("no such group").code,
        Code::ParquetCorrupt
    );

    let err = inspect(&folder.file(""), None).expect_err("a folder");
    assert_eq!(err.code, Code::Argument);

    let other = RecordBatch::try_from_iter([("delay", Arc::new(Int64Array::from(vec![1])) as _)]);
    let other_path = folder.file("b.parquet");
    write(&other.expect("a table"), &other_path, Codec::Zstd).expect("written");
    let both = [path.clone(), other_path];
    let err = inspect_all(&both, None).expect_err("other columns");
    assert_eq!(err.code, Code::SchemaMismatch);
    assert!(err.message.contains("'origin' Utf8"), "{err}");
    assert_eq!(
        inspect_all(&both, Some(&["delay".to_owned()]))
            .expect("common columns")
            .len(),
        2
    );
}

#[test]
fn damaged_files_are_errors() {
    let folder = Folder::new();
    let path = folder.file("a.parquet");
    write(&sample_table(3000), &path, Codec::Zstd).expect("written");
    let bytes = fs::read(&path).expect("bytes");
    let damaged = folder.file("damaged.parquet");
    fs::write(&damaged, b"PAR1 is not enough").expect("written");
    assert_eq!(
        inspect(&damaged, None).expect_err("not Parquet").code,
        Code::ParquetCorrupt
    );
    fs::write(&damaged, b"").expect("written");
    assert_eq!(
        inspect(&damaged, None).expect_err("empty").code,
        Code::ParquetCorrupt
    );
    for cut in (1..bytes.len()).step_by(bytes.len() / 20) {
        fs::write(&damaged, &bytes[..cut]).expect("written");
        assert_eq!(
            inspect(&damaged, None).expect_err("cut").code,
            Code::ParquetCorrupt
        );
    }
    let mut refused = 0;
    for at in (0..bytes.len()).step_by(bytes.len() / 200 + 1) {
        let mut wrong = bytes.clone();
        wrong[at] ^= 0xff;
        fs::write(&damaged, &wrong).expect("written");
        if let Err(err) = read(&piece(&damaged, 0, 3000), None) {
            assert!(
                matches!(err.code, Code::ParquetCorrupt | Code::TypeUnsupported),
                "{err}"
            );
            refused += 1;
        }
    }
    // A flipped value byte of an uncompressed page is another value; structure must be noticed.
    assert!(refused > 20, "{refused} damaged files were noticed");
}
