//! Tables in Parquet.

use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::Seed;

pub(super) fn seeds() -> Vec<Seed> {
    let whole = sales();
    let half = whole[..whole.len() / 2].to_vec();
    let mut damaged = whole.clone();
    damaged[40] ^= 0x10;
    [
        ("sales", whole),
        ("cut-off", half),
        ("a-bit-turned", damaged),
        ("magic-alone", b"PAR1PAR1".to_vec()),
    ]
    .map(|(name, file)| ("import_parquet", name.to_owned(), [vec![0, 0], file].concat()))
    .into()
}

/// Two sales, as small as the writer makes them.
fn sales() -> Vec<u8> {
    let schema = "message sales {
        REQUIRED BYTE_ARRAY meter (STRING);
        OPTIONAL BYTE_ARRAY token (STRING);
        REQUIRED INT64 date (TIMESTAMP(MICROS,true));
        REQUIRED DOUBLE units;
    }";
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let properties = Arc::new(WriterProperties::builder().build());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).expect("memory");
    let mut group = writer.next_row_group().expect("memory");
    let texts = [
        (["01202401012", "01202401020"], None),
        (["69422342762654887585", "33800423901031857011"], Some([1, 1].as_slice())),
    ];
    for (values, levels) in texts {
        let values = values.map(ByteArray::from);
        let mut column = group.next_column().expect("memory").expect("a column");
        column.typed::<ByteArrayType>().write_batch(&values, levels, None).expect("memory");
        column.close().expect("memory");
    }
    let mut column = group.next_column().expect("memory").expect("a column");
    let times = [1_730_361_660_000_000, 1_730_462_580_000_000];
    column.typed::<Int64Type>().write_batch(&times, None, None).expect("memory");
    column.close().expect("memory");
    let mut column = group.next_column().expect("memory").expect("a column");
    column.typed::<DoubleType>().write_batch(&[10.0, 45.3], None, None).expect("memory");
    column.close().expect("memory");
    group.close().expect("memory");
    writer.close().expect("memory");
    bytes
}
