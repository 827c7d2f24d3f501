//! The binary `sts`: arguments, printing, exit status. All work is done in `sts-harness`.

mod args;
mod ask;
mod config;
mod conform;
mod diff;
mod exit;
mod forecast;
mod import;
mod issue;
mod keys;
mod lookup;
mod out;
mod page;
mod replay;
mod search;
mod secret;
#[cfg(feature = "serve")]
mod serve;
mod shell;
mod simulate;
#[cfg(feature = "sql")]
mod sql;
mod texts;
mod verify;

use clap::{CommandFactory, FromArgMatches};

use crate::args::{Cli, Color, Format, Verb};
use crate::config::Settings;
use crate::exit::{Exit, Failure};
use crate::out::Out;

fn main() -> std::process::ExitCode {
    let settings = match Settings::load() {
        Ok(settings) => settings,
        Err(failure) => {
            let mut out = Out::new(Format::Text, Color::Auto);
            failure.tell(&failure.to_string(), &mut out);
            return failure.exit();
        }
    };
    let matches = settings.apply(Cli::command()).try_get_matches();
    let matches = matches.unwrap_or_else(|error| exit::usage(&error));
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| exit::usage(&error));
    let mut out = Out::new(cli.format, cli.color);
    let done = match &cli.verb {
        Verb::Inspect(args) => lookup::inspect(args, &mut out),
        Verb::Verify(args) => verify::run(args, &mut out),
        Verb::Check(args) => ask::check(args, &mut out),
        Verb::Explain(args) => ask::explain(args, &mut out),
        Verb::Issue(args) => issue::run(args, &mut out),
        Verb::Replay(args) => replay::run(args, &mut out),
        Verb::Diff(args) => diff::run(args, &mut out),
        Verb::Import(args) => import::run(args, &mut out),
        Verb::Simulate(args) => simulate::run(args, &mut out),
        Verb::Conform(args) => conform::run(args, &mut out),
        Verb::Forecast(args) => forecast::run(args, &mut out),
        Verb::Tid(args) => lookup::tid(args, &mut out),
        Verb::Drn(args) => lookup::drn(args, &mut out),
        Verb::Profiles(args) => lookup::profiles(args, &mut out),
        #[cfg(feature = "serve")]
        Verb::Serve(args) => serve::run(args, &mut out),
        #[cfg(feature = "sql")]
        Verb::Sql(args) => sql::run(args, &mut out),
        Verb::Keys(args) => keys::run(args, &mut out),
        Verb::Config(args) => settings.run(args, &matches, &mut out),
        Verb::Completions(args) => shell::completions(args, &mut out),
        Verb::Man(args) => shell::man(args, &mut out),
    };
    let done = done.and_then(|exit| out.flush().map(|()| exit));
    match done {
        Ok(exit) => exit.into(),
        // Whoever reads us has seen enough.
        Err(Failure::ClosedPipe) => Exit::Good.into(),
        Err(failure) => {
            let mut problem = failure.to_string();
            if matches!(cli.verb, Verb::Keys(_)) {
                problem = sts_harness::keys::without_keys(&problem);
            }
            failure.tell(&problem, &mut out);
            failure.exit()
        }
    }
}
