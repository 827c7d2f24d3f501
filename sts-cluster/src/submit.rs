//! Queries to the cluster, and their answers.

use std::path::Path;

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use ballista_core::utils::default_session_builder;
use datafusion::prelude::{SessionConfig, SessionContext};
use sts_query::sql::{self, Holders, output, replay_query};

use crate::tls::Tls;
use crate::{Failure, QueryArgs, ReplayArgs, SubmitArgs};

pub(crate) async fn submit(args: &SubmitArgs) -> Result<(), Failure> {
    let context = session(&args.run).await?;
    for (name, path) in &args.table {
        sql::open(&context, name, &absolute(path)?).await?;
    }
    answer(&context, &args.query, &args.run).await
}

pub(crate) async fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let context = session(&args.run).await?;
    sql::open(&context, "meters", &absolute(&args.meters)?).await?;
    sql::open(&context, "entries", &absolute(&args.entries)?).await?;
    let query = replay_query(&context, "meters", "entries", Some(&args.keys)).await?;
    answer(&context, &query, &args.run).await
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
        .with_ballista_use_tls(tls.is_some());
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

/// Runs a query and writes its answers: once each, whatever executors did, as they come here and
/// a query whose answers cannot be fetched is run anew.
async fn answer(context: &SessionContext, query: &str, args: &QueryArgs) -> Result<(), Failure> {
    let mut left = args.retries;
    loop {
        let told = async {
            let answers = context.sql(query).await?.execute_stream().await?;
            match &args.out {
                Some(path) => output::to_file(answers, path).await,
                None => output::to(answers, output::Form::Text, std::io::stdout()).await,
            }
        };
        match told.await {
            Ok(rows) => {
                if let Some(path) = &args.out {
                    println!("{rows} rows in {}", path.display());
                }
                return Ok(());
            }
            Err(error) if left > 0 && is_lost_answer(&error.to_string()) => {
                left -= 1;
                eprintln!("warning: an executor was lost with answers, run anew: {error}");
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether an error is of fetching answers, not of the query.
fn is_lost_answer(error: &str) -> bool {
    ["FetchFailed", "GrpcConnectionError", "Error connecting to Ballista", "transport error"]
        .iter()
        .any(|sign| error.contains(sign))
}
