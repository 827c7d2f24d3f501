//! Queries to the cluster, and their answers.

use std::path::Path;

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use ballista_core::config::BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS;
use ballista_core::utils::default_session_builder;
use datafusion::prelude::{SessionConfig, SessionContext};
use sts_query::sql::{self, Holders, Slice, output, replay_query};

use crate::answers::Runs;
use crate::tls::Tls;
use crate::{Failure, QueryArgs, ReplayArgs, SubmitArgs};

pub(crate) async fn submit(args: &SubmitArgs) -> Result<(), Failure> {
    let context = session(&args.run).await?;
    for (name, path) in &args.table {
        sql::open(&context, name, &absolute(path)?).await?;
    }
    let runs = Runs::new(context, args.run.retries, args.run.out.as_deref());
    answer(&runs, vec![args.query.clone()], None, args.run.out.as_deref()).await
}

pub(crate) async fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let context = session(&args.run).await?;
    sql::open(&context, "meters", &absolute(&args.meters)?).await?;
    sql::open(&context, "entries", &absolute(&args.entries)?).await?;
    let mut queries = Vec::new();
    for slice in Slice::all(args.slices) {
        queries.push(replay_query(&context, "meters", "entries", Some(&args.keys), slice).await?);
    }
    let runs = Runs::new(context, args.run.retries, args.run.out.as_deref());
    let expected = runs.rows("entries").await?;
    answer(&runs, queries, Some(expected), args.run.out.as_deref()).await
}

/// Executors stand in folders of their own.
fn absolute(path: &Path) -> Result<std::path::PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure(format!("{}: cannot be found: {error}", path.display())))
}

async fn session(args: &QueryArgs) -> Result<SessionContext, Failure> {
    let tls = Tls::new(&args.tls)?;
    let mut config = SessionConfig::new_with_ballista()
        .with_target_partitions(args.partitions)
        // Where an executor is lost, the adaptive planner of Ballista 55 loses the stages that it rolls
        // back, and the query never ends.
        .with_ballista_adaptive_query_planner(false)
        .with_ballista_use_tls(tls.is_some())
        // Who is gone is soon said to be: waiting for it longer helps nobody.
        .set_usize(BALLISTA_CLIENT_IO_RETRY_WAIT_TIME_MS, 500);
    if let Some(tls) = &tls {
        config = config.with_ballista_override_create_grpc_client_endpoint(tls.outwards());
    }
    let state = default_session_builder(config)?;
    let address = format!("df://{}", args.scheduler);
    let context = SessionContext::remote_with_state(&address, state).await?;
    // The engine makes a state of its own of the one it is given.
    sql::register(&mut *context.state_ref().write(), &Holders::elsewhere())?;
    Ok(context)
}

/// Writes the answers of queries.
async fn answer(
    runs: &Runs,
    queries: Vec<String>,
    expected: Option<u64>,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let answers = runs.answers(queries, expected).await?;
    match out {
        Some(path) => {
            let rows = output::to_file(answers, path).await?;
            println!("{rows} rows in {}", path.display());
        }
        None => {
            output::to(answers, output::Form::Text, std::io::stdout()).await?;
        }
    }
    Ok(())
}
