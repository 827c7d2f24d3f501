//! `sts sql`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sts_harness::diagnose::Model;
use sts_harness::input::InputError;
use sts_query::Functions;
use sts_query::sql::{self, Holders, output};

use crate::args::{Format, SqlArgs};
use crate::exit::{Done, Exit, Failure};
use crate::keys;
use crate::out::Out;

pub(crate) fn run(args: &SqlArgs, out: &mut Out) -> Done {
    let ring = keys::ring(&args.keys, out)?;
    let model = args.model.as_deref().map(Model::load).transpose()?.unwrap_or_default();
    let profiles: Vec<&str> = args.profile.iter().map(String::as_str).collect();
    let functions = Functions::with(ring, &profiles, model)
        .map_err(|problem| Failure::Input(InputError::other("--profile", &problem)))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(args.threads.map_or_else(cores, usize::from))
        .enable_all()
        .build()?;
    let form = match out.format() {
        Format::Text => output::Form::Text,
        Format::Json => output::Form::Json,
        Format::Ndjson => output::Form::Ndjson,
    };
    runtime.block_on(async {
        let threads = args.threads.map(usize::from);
        let context = sql::session(&Holders::one(functions), threads).map_err(failed)?;
        for (name, path) in tables(args)? {
            sql::open(&context, &name, &path).await.map_err(failed)?;
        }
        let query = query(&args.query)?;
        let answers = async { context.sql(&query).await?.execute_stream().await };
        let answers = answers.await.map_err(failed)?;
        match &args.out {
            Some(path) => output::to_file(answers, path).await.map_err(failed)?,
            None => output::to(answers, form, io::stdout()).await.map_err(failed)?,
        };
        Ok(Exit::Good)
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn failed(error: sts_query::datafusion::error::DataFusionError) -> Failure {
    Failure::Input(InputError::other("", &error.message()))
}

/// The names of tables, and their files.
fn tables(args: &SqlArgs) -> Result<Vec<(String, PathBuf)>, Failure> {
    let named = args.table.iter().map(|text| match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(path)))
        }
        _ => Err(Failure::Usage(format!("--table {text:?}, expected NAME=PATH"))),
    });
    let by_own_name = args.files.iter().map(|path: &PathBuf| {
        Ok((sql::table_name(path).map_err(failed)?, Path::new(path).to_owned()))
    });
    named.chain(by_own_name).collect()
}

fn query(text: &str) -> Result<String, Failure> {
    if text != "-" {
        return Ok(text.to_owned());
    }
    let mut query = String::new();
    io::stdin().read_to_string(&mut query)?;
    Ok(query)
}
