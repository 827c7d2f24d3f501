//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Why does this meter refuse this token? STS (IEC 62055-41) prepayment tokens, as a meter sees them.
///
/// An independent implementation, not certified or endorsed by the STS Association or the IEC.
#[derive(Debug, Parser)]
#[command(
    name = "sts",
    version,
    max_term_width = 100,
    after_help = "\
Exit status: 0 every token accepted, authentic or encrypted (replay: every claim reproduced);
1 some refused; 2 usage; 3 input unreadable or rows rejected; 4 keys missing or locked."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// How the answer is written.
    #[arg(long, value_enum, global = true, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Whether the answer is coloured.
    #[arg(long, value_enum, global = true, default_value_t = Color::Auto)]
    pub(crate) color: Color,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Say what a token tells without a key.
    #[command(after_help = "Example: sts inspect 18446744073843772416")]
    Inspect(InspectArgs),
    /// Authenticate and decode tokens under the keys held.
    #[command(after_help = "\
Columns: id,pan,ea,sgc,krn,ti,kt,token. Where one is empty, every held key that fits is tried.
Examples: sts verify --keys keys.toml --input tokens.csv --format ndjson
          sts verify --keys keys.toml --input tokens.csv --out verdicts.csv")]
    Verify(VerifyArgs),
    /// Ask a meter: would it take this token now? Nothing is written.
    #[command(after_help = "\
Example: sts check --case examples/mangaung-2024 --meter 01202401012 1844 6744 0738 4377 2416")]
    Check(AskArgs),
    /// Say why a token is refused, and what to do. Takes a pasted slip or SMS as well.
    #[command(after_help = "\
Example: sts explain --case examples/mangaung-2024 --slip slip.txt --seen 017")]
    Explain(AskArgs),
    /// Make tokens with test keys.
    #[command(after_help = "\
Columns: id,pan,ea,sgc,krn,ti,kt,kind,subclass,issued_at,tid,rnd,units_raw,amount,watts,
register_to_clear,control,mfr_code,index,value,to_sgc,to_krn,to_ti,to_kt,to_pan,rollover,three_kct
Example: sts issue --keys keys.toml --input wanted.csv --format ndjson")]
    Issue(TableArgs),
    /// Replay a case folder: what each meter shows, whether that is reproduced, why, what to do.
    #[command(after_help = "\
Examples: sts replay examples/mangaung-2024
          sts replay utility --sort --out answers.ndjson
          sts replay utility --sort --out answers.ndjson --resume")]
    Replay(ReplayArgs),
    /// Compare two replays: which answers changed, and from what to what.
    #[command(after_help = "\
Each file is what sts replay CASE --format ndjson wrote. Exit status 1 where something changed.
Example: sts diff before.ndjson after.ndjson")]
    Diff(DiffArgs),
    /// Make a case of exports: CSV, TSV, JSON, XLSX, logged messages of a vending server.
    #[command(after_help = "\
Examples: sts import --check sales.xlsx --tz Africa/Johannesburg
          sts import sales.csv --out case --tz +02:00 --map 'Customer meter=drn' --max-rejects 1%
Fields: id receipt entered_at sold_at sold_date sold_time pan drn iin entered token kct1 kct2 kct3
kct4 quantity unit paid sgc krn ti kt ea ken base_date displayed event value note profile firmware
tid_floor")]
    Import(Box<ImportArgs>),
    /// Make a case of a utility whose faults are known: what was done stands in `truth.ndjson`.
    #[command(after_help = "Example: sts simulate small --out case --seed 7")]
    Simulate(SimulateArgs),
    /// Try a device under test: does it answer as a meter should? Pre-compliance, no certificate.
    #[command(after_help = "\
Exit status: 0 passed, 1 failures, 2 usage, 3 the device cannot be reached or broke the protocol.
Examples: sts conform --command './meter --port 3' --junit results.xml
          sts conform --tcp 192.0.2.7:4059 --suite tid --suite key_change
          sts conform --command ./meter --differential 100000 --seed 7 > shortest.txt
          sts conform --command ./meter --sequence shortest.txt")]
    Conform(Box<ConformArgs>),
    /// Compare plans for a change of keys: refusals, calls and households without, day by day.
    #[command(after_help = "Example: sts forecast mangaung --svg forecast.svg")]
    Forecast(ForecastArgs),
    /// A page on this machine that says why a token is refused, and an API for programs.
    #[cfg(feature = "serve")]
    #[command(after_help = "\
Examples: sts serve examples/mangaung-2024
          sts serve --keys keys.toml --listen 127.0.0.1:8055 --token-file api.token")]
    Serve(ServeArgs),
    /// Ask in SQL: Parquet and CSV as tables, with functions for tokens.
    #[cfg(feature = "sql")]
    #[command(after_help = "\
A file's table has its name: sales.parquet is sales. CSV is text throughout, so that numbers keep
their zeros. Functions, with the columns of sts verify and of a case:
  sts_verify(token, meter, ea, sgc, krn, ti, kt)   whether a token authenticates
  sts_decode(token, meter, ea, sgc, krn, ti, kt)   what it says
  sts_diagnose(meter, entry)                       why an entry was refused, by itself
  sts_replay(meter, entry) OVER (PARTITION BY meter ORDER BY time)
  sts_tid_time(tid, base_date)  sts_time(text)  sts_meter(number)  sts_meter_problem(number)
Examples: sts sql 'SELECT sts_meter(drn), count(*) FROM meters GROUP BY 1' CASE/meters.csv
          sts sql --keys keys.toml 'SELECT sts_verify(token, drn) FROM s' --table s=full.csv")]
    Sql(SqlArgs),
    /// Turn a token identifier into a date, or a date into an identifier.
    #[command(after_help = "Examples: sts tid 85740    sts tid 2024-11-01T08:00:00Z")]
    Tid(TidArgs),
    /// Check a meter's number: 11 or 13 digits, or all 18.
    #[command(after_help = "Example: sts drn 600727000000000009")]
    Drn(DrnArgs),
    /// List the built-in profiles, or check and show one.
    #[command(after_help = "\
Examples: sts profiles mangaung-2024-reconstruction
          sts profiles emit mangaung-2024-reconstruction --c > mangaung.h")]
    Profiles(ProfilesArgs),
    /// Hold keys: make a key file, add keys to it, list, check and seal them anew.
    #[command(after_help = "\
sts keys FILE is short for sts keys check FILE.
Examples: sts keys new mine.toml
          sts keys import mine.toml --id g1 --sgc 600457 --krn 1 --kt 2 --dkga 02 --base-date 2014
          sts keys list mine.toml
          sts keys check keys.toml")]
    Keys(Box<KeysArgs>),
    /// Say which settings are in force, and where each is from.
    #[command(after_help = "\
Settings, lowest first: defaults; a file sts/config.toml (in $XDG_CONFIG_HOME or ~/.config; in
%APPDATA% on Windows; or what STS_CONFIG names); variables such as STS_KEYS; arguments.
In the file: keys, kek_file, passphrase_file, format, color, tz, threads, lanes.
Example: sts config show --origin")]
    Config(ConfigArgs),
    /// Print a script with which a shell completes verbs, options and files.
    #[command(after_help = "\
Examples: sts completions bash > sts.bash
          sts completions zsh > _sts")]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each verb.
    #[command(after_help = "Example: sts man --dir man")]
    Man(ManArgs),
}

#[derive(Args, Debug)]
pub(crate) struct InspectArgs {
    /// Tokens; `-` reads lines from standard input.
    #[arg(required_unless_present = "input")]
    pub(crate) tokens: Vec<String>,
    /// A file with a token on each line.
    #[arg(long)]
    pub(crate) input: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct KeyArgs {
    /// The key file.
    #[arg(long)]
    pub(crate) keys: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
}

/// What opens sealed keys. At a terminal a passphrase that is not given is asked for.
#[derive(Args, Debug)]
pub(crate) struct UnlockArgs {
    /// A file with the 32 bytes of the key-encryption key, for sealed keys.
    #[arg(long, value_name = "FILE")]
    pub(crate) kek_file: Option<PathBuf>,
    /// A file whose first line is the passphrase, for sealed keys; asked for at a terminal when
    /// absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// A file descriptor whose first line is the passphrase; 0 is standard input.
    #[arg(long, value_name = "N", conflicts_with = "passphrase_file")]
    pub(crate) passphrase_fd: Option<u32>,
}

/// A table, and the keys for it.
#[derive(Args, Debug)]
pub(crate) struct TableArgs {
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// The CSV file; `-` is standard input.
    #[arg(long)]
    pub(crate) input: PathBuf,
    /// Where rows that cannot be taken go, with their reason.
    #[arg(long)]
    pub(crate) rejects: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// A file for the verdicts, in the form that its name ends in: .csv or .ndjson.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How many threads work; as many as the machine has when absent. The answers are the same.
    #[arg(long)]
    pub(crate) threads: Option<NonZeroUsize>,
}

#[cfg(feature = "sql")]
#[derive(Args, Debug)]
pub(crate) struct SqlArgs {
    /// The query; `-` reads standard input.
    pub(crate) query: String,
    /// Files that are tables under their own names, without the ending.
    pub(crate) files: Vec<PathBuf>,
    /// A table of another name: a file, or a folder of Parquet files. May be repeated.
    #[arg(long, value_name = "NAME=PATH")]
    pub(crate) table: Vec<String>,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// A profile in a file that meters name. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Vec<String>,
    /// Beliefs about causes and records in place of the built-in ones: a changed diagnosis.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
    /// A file for the answers, in the form that its name ends in: .parquet, .csv, .json or .ndjson.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How many threads work; as many as the machine has when absent.
    #[arg(long)]
    pub(crate) threads: Option<NonZeroUsize>,
}

#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// The case folder: meters.csv, entries.csv, keys.toml, case.toml.
    pub(crate) case: PathBuf,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// A profile in place of every meter's: a built-in name or a file.
    #[arg(long, value_hint = clap::ValueHint::AnyPath)]
    pub(crate) profile: Option<String>,
    /// Sort the entries by time first.
    #[arg(long)]
    pub(crate) sort: bool,
    /// Judge each meter as if it were the only one: nothing is looked for at other meters, nor
    /// learned from them. The answers are those of a cluster, however it cuts the case.
    #[arg(long)]
    pub(crate) alone: bool,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    /// Where rows that cannot be taken go, with their reason.
    #[arg(long)]
    pub(crate) rejects: Option<PathBuf>,
    /// A file for the answers, in the form that its name ends in: .ndjson, .csv or .parquet.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with a run that was interrupted: the same case, the same --out.
    #[arg(long, requires = "out")]
    pub(crate) resume: bool,
    /// A page in HTML with counts, causes and pictures; no meter number and no token is in it.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// A table in CSV of what is to be done at which meter. It has real meter numbers.
    #[arg(long, value_name = "FILE")]
    pub(crate) work_list: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct DiffArgs {
    /// Results of the first replay.
    pub(crate) first: PathBuf,
    /// Results of the second.
    pub(crate) second: PathBuf,
}

/// How causes are searched for.
#[derive(Args, Debug)]
pub(crate) struct SearchArgs {
    /// Beliefs about causes and records in place of the built-in ones: a changed diagnosis.toml.
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,
    /// The vector instructions to search with; the answers are the same.
    #[arg(long, value_enum, default_value_t = Lanes::Auto)]
    pub(crate) lanes: Lanes,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Lanes {
    /// The widest of this machine.
    Auto,
    /// 64 candidates at once, on any machine.
    Portable,
    /// 256 candidates.
    Avx2,
    /// 512 candidates.
    Avx512,
}

/// A token, and a meter to ask about it.
#[derive(Args, Debug)]
pub(crate) struct AskArgs {
    /// Tokens or pasted text; `-` reads standard input.
    pub(crate) text: Vec<String>,
    /// A file with a slip or SMS.
    #[arg(long)]
    pub(crate) slip: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// A case folder: its meters, and what they took before `--at`.
    #[arg(long)]
    pub(crate) case: Option<PathBuf>,
    /// The meter's number: 11 or 13 digits, or all 18.
    #[arg(long)]
    pub(crate) meter: Option<String>,
    /// Encryption algorithm of the meter.
    #[arg(long)]
    pub(crate) ea: Option<String>,
    /// Supply group code the meter holds.
    #[arg(long)]
    pub(crate) sgc: Option<String>,
    /// Key revision the meter holds.
    #[arg(long)]
    pub(crate) krn: Option<String>,
    /// Tariff index the meter holds.
    #[arg(long)]
    pub(crate) ti: Option<String>,
    /// Key type the meter holds.
    #[arg(long)]
    pub(crate) kt: Option<String>,
    /// Base date of the meter's key: 1993, 2014 or 2035.
    #[arg(long)]
    pub(crate) base_date: Option<String>,
    /// Key expiry number the meter holds.
    #[arg(long)]
    pub(crate) ken: Option<String>,
    /// The lowest token identifier the meter remembers.
    #[arg(long)]
    pub(crate) tid_floor: Option<String>,
    /// The meter's profile: a built-in name or a file.
    #[arg(long, value_hint = clap::ValueHint::AnyPath)]
    pub(crate) profile: Option<String>,
    /// The meter's firmware, by its id in the profile.
    #[arg(long)]
    pub(crate) firmware: Option<String>,
    /// When it is entered, RFC 3339; now when absent.
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// When it was sold, RFC 3339.
    #[arg(long)]
    pub(crate) sold_at: Option<String>,
    /// The quantity on the receipt, in kWh, m3 or min.
    #[arg(long)]
    pub(crate) quantity: Option<String>,
    /// What the meter showed.
    #[arg(long)]
    pub(crate) seen: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Exports; a folder is all files in it.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The folder that the case is written to.
    #[arg(long, required_unless_present = "check", value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Say what is understood and what would come of it, and write nothing.
    #[arg(long, conflicts_with = "out")]
    pub(crate) check: bool,
    /// Take a column as a field; `#3` is the third column, `-` leaves it out.
    #[arg(long, value_name = "COLUMN=FIELD")]
    pub(crate) map: Vec<String>,
    /// A value where no column gives one, such as kt=2; `1:1993,2:2014` goes by key revision.
    #[arg(long, value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<String>,
    /// With `--keys`, what no column and no `--set` tells of a meter is told by its tokens.
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    /// The zone of times that say none: +02:00, UTC or an IANA name.
    #[arg(long, value_name = "ZONE")]
    pub(crate) tz: Option<String>,
    /// The order of dates such as 03/04/2024: dmy or mdy.
    #[arg(long, value_name = "ORDER")]
    pub(crate) dates: Option<String>,
    /// What parts whole numbers from decimals: point or comma.
    #[arg(long, value_name = "MARK")]
    pub(crate) decimal: Option<String>,
    /// The encoding, by its label: utf-8, utf-16le, windows-1252 and so on.
    #[arg(long, value_name = "LABEL")]
    pub(crate) encoding: Option<String>,
    /// What stands between fields: one character, or tab.
    #[arg(long, value_name = "CHARACTER")]
    pub(crate) delimiter: Option<String>,
    /// The sheet of a workbook.
    #[arg(long)]
    pub(crate) sheet: Option<String>,
    /// The line or row of the header; 0 where there is none.
    #[arg(long, value_name = "LINE")]
    pub(crate) header: Option<u64>,
    /// Put zeros back that a spreadsheet dropped in front of meter numbers, supply group codes and
    /// tokens that were sold.
    #[arg(long)]
    pub(crate) restore_zeros: bool,
    /// Reject tokens whose digits a spreadsheet destroyed, in place of keeping them as entries.
    #[arg(long)]
    pub(crate) reject_damaged: bool,
    /// Leave out rows that are the same as one before.
    #[arg(long)]
    pub(crate) distinct: bool,
    /// Put the entries in time order.
    #[arg(long)]
    pub(crate) sort: bool,
    /// How many rows may be rejected, as a number or a share such as 5%; with more, no entries are
    /// written. Without it any number may, and the exit status is 3 if there is one.
    #[arg(long, value_name = "LIMIT")]
    pub(crate) max_rejects: Option<String>,
    /// Write over a case that the folder holds.
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SimulateArgs {
    /// The scenario: a built-in name or a file in .toml.
    #[arg(required_unless_present = "list")]
    pub(crate) scenario: Option<String>,
    /// The folder that the case is written to.
    #[arg(long, required_unless_present = "list")]
    pub(crate) out: Option<PathBuf>,
    /// Draw with another seed than the scenario's.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Another number of meters.
    #[arg(long)]
    pub(crate) meters: Option<usize>,
    /// Stop after another number of refusals.
    #[arg(long)]
    pub(crate) refusals: Option<u64>,
    /// Write over a case that the folder holds.
    #[arg(long)]
    pub(crate) force: bool,
    /// List the built-in scenarios.
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ConformArgs {
    /// A program that speaks the protocol on its standard streams; no shell is involved.
    #[arg(long, conflicts_with = "tcp")]
    pub(crate) command: Option<String>,
    /// An address that speaks the protocol.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) tcp: Option<String>,
    /// The built-in meter, which is what is tried when nothing else is named.
    #[arg(long, conflicts_with_all = ["command", "tcp"])]
    pub(crate) builtin: bool,
    /// Be a device: the built-in meter answers on the standard streams.
    #[arg(long, conflicts_with_all = ["command", "tcp", "differential", "sequence", "list"])]
    pub(crate) serve: bool,
    /// Only these suites.
    #[arg(long, value_name = "NAME")]
    pub(crate) suite: Vec<String>,
    /// Try what a meter of this profile shows: a built-in name or a file.
    #[arg(long, value_hint = clap::ValueHint::AnyPath)]
    pub(crate) profile: Option<String>,
    /// The firmware of the profile.
    #[arg(long, requires = "profile")]
    pub(crate) firmware: Option<String>,
    /// Enter so many random entries on the device and on the built-in meter.
    #[arg(long, value_name = "ENTRIES", conflicts_with_all = ["suite", "sequence", "junit"])]
    pub(crate) differential: Option<std::num::NonZeroU64>,
    /// What the random entries are drawn from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Run the cases of a file, such as one that --differential printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) sequence: Option<PathBuf>,
    /// A file for the results in the XML of `JUnit`.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Seconds that the device has for each reply.
    #[arg(long, default_value = "10")]
    pub(crate) timeout_s: std::num::NonZeroU64,
    /// Print the cases and run nothing.
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ForecastArgs {
    /// The plans and what households do: mangaung, or a file in .toml.
    pub(crate) scenario: String,
    /// Another number of meters, and as many remedies a day in proportion.
    #[arg(long)]
    pub(crate) meters: Option<NonZeroUsize>,
    /// A file for the chart of stranded households by day.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

#[cfg(feature = "serve")]
#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// The case folder: its meters, and what happened to them; without one meters are as asked.
    pub(crate) case: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeyArgs,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    /// Where to listen; port 0 is any free one. Other machines reach an address that is not 127.0.0.1.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// A new file for the token that programs send; it is gone when the server ends.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct TidArgs {
    /// Token identifiers (numbers) or times (RFC 3339).
    #[arg(required = true)]
    pub(crate) values: Vec<String>,
    /// Only this base date: 1993, 2014 or 2035.
    #[arg(long)]
    pub(crate) base_date: Option<u16>,
}

#[derive(Args, Debug)]
pub(crate) struct DrnArgs {
    /// Meter numbers.
    #[arg(required = true)]
    pub(crate) numbers: Vec<String>,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ProfilesArgs {
    /// A built-in name, or a file to check.
    pub(crate) profile: Option<String>,
    #[command(subcommand)]
    pub(crate) action: Option<ProfilesAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ProfilesAction {
    /// Print a profile as constant data for firmware.
    #[command(after_help = "\
Example: sts profiles emit mangaung-2024-reconstruction --rust > profile.rs")]
    Emit(EmitArgs),
}

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("language").required(true))]
pub(crate) struct EmitArgs {
    /// A built-in name, or a file.
    pub(crate) profile: String,
    /// As statics of `sts_core::Profile`.
    #[arg(long, group = "language")]
    pub(crate) rust: bool,
    /// As constants of `sts_profile`, for `sts.h`.
    #[arg(long, group = "language")]
    pub(crate) c: bool,
}

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub(crate) struct KeysArgs {
    /// The key file, to check it.
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
    #[command(subcommand)]
    pub(crate) action: Option<KeysAction>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysAction {
    /// Make a key file, a random test key in one, or a key-encryption-key file.
    #[command(after_help = "\
Examples: sts keys new mine.toml
          sts keys new tests.toml --id t1 --sgc 123456 --krn 1 --kt 2 --dkga 04 --base-date 2014
          sts keys new --kek kek.bin")]
    New(NewKeysArgs),
    /// Add a key that is typed or read from a file, sealed.
    ///
    /// The key is asked for at a terminal, twice and unseen, or read with --key-file or --key-fd; it
    /// is never an argument. Give --pan for a meter's own key, and the attributes of the supply group
    /// otherwise.
    #[command(after_help = "\
Example: sts keys import mine.toml --id g1 --sgc 600457 --krn 1 --kt 2 --dkga 02 --base-date 2014")]
    Import(ImportKeyArgs),
    /// Say what a key file holds, without unlocking it.
    #[command(after_help = "Example: sts keys list keys.toml")]
    List(KeyFileArgs),
    /// Unlock a key file and check all of it.
    #[command(after_help = "Example: sts keys check keys.toml")]
    Check(CheckKeysArgs),
    /// Seal the keys of a file under another passphrase or key-encryption key.
    ///
    /// All of it is changed or nothing. The new passphrase is asked for at a terminal, twice and
    /// unseen, where no --new- option tells.
    #[command(after_help = "\
Example: sts keys rotate mine.toml --kek-file kek.bin --new-kek-file new.bin")]
    Rotate(RotateArgs),
}

/// What a record says of its key.
#[derive(Args, Debug)]
pub(crate) struct AttributeArgs {
    /// Its name in reports.
    #[arg(long)]
    pub(crate) id: Option<String>,
    /// Supply group code, six digits.
    #[arg(long)]
    pub(crate) sgc: Option<String>,
    /// Key revision number, 1 to 9.
    #[arg(long)]
    pub(crate) krn: Option<i64>,
    /// Key type, 0 to 3.
    #[arg(long)]
    pub(crate) kt: Option<i64>,
    /// How decoder keys are derived: 02 or 04; 01 and 03 are withdrawn.
    #[arg(long)]
    pub(crate) dkga: Option<String>,
    /// Base date: 1993, 2014 or 2035.
    #[arg(long)]
    pub(crate) base_date: Option<i64>,
    /// Key expiry number, 0 to 255.
    #[arg(long)]
    pub(crate) ken: Option<i64>,
    /// The zone in which the vending side counts TIDs: +02:00, UTC or an IANA name.
    #[arg(long, value_name = "ZONE")]
    pub(crate) tid_zone: Option<String>,
    /// The meter of a decoder key: its number.
    #[arg(long)]
    pub(crate) pan: Option<String>,
    /// Encryption algorithm of a decoder key: 07, 09 or 11.
    #[arg(long, requires = "pan")]
    pub(crate) ea: Option<String>,
    /// Tariff index of a decoder key.
    #[arg(long, requires = "pan")]
    pub(crate) ti: Option<String>,
}

impl AttributeArgs {
    /// Whether nothing but perhaps an id is told.
    pub(crate) const fn is_empty(&self) -> bool {
        let Self { id: _, sgc, krn, kt, dkga, base_date, ken, tid_zone, pan, ea, ti } = self;
        sgc.is_none()
            && krn.is_none()
            && kt.is_none()
            && dkga.is_none()
            && base_date.is_none()
            && ken.is_none()
            && tid_zone.is_none()
            && pan.is_none()
            && ea.is_none()
            && ti.is_none()
    }
}

#[derive(Args, Debug)]
pub(crate) struct NewKeysArgs {
    /// The key file. With --id it gets a random test key, in clear.
    #[arg(required_unless_present = "kek")]
    pub(crate) file: Option<PathBuf>,
    /// Make a key-encryption-key file: 32 random bytes.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "id"])]
    pub(crate) kek: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) attributes: AttributeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ImportKeyArgs {
    /// The key file.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
    /// A file whose first line is the key in hexadecimal digits; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) key_file: Option<PathBuf>,
    /// A file descriptor whose first line is the key; 0 is standard input.
    #[arg(long, value_name = "N", conflicts_with = "key_file")]
    pub(crate) key_fd: Option<u32>,
    /// The fingerprint that the key must have: 6 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    pub(crate) fingerprint: Option<String>,
    /// A key for tests, in place of one for verifying.
    #[arg(long)]
    pub(crate) test: bool,
    #[command(flatten)]
    pub(crate) attributes: AttributeArgs,
}

#[derive(Args, Debug)]
pub(crate) struct KeyFileArgs {
    /// The key file.
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct CheckKeysArgs {
    /// The key file.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    /// The key file.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) unlock: UnlockArgs,
    #[command(flatten)]
    pub(crate) seal: NewSealArgs,
}

/// What keys are sealed under from now on.
#[derive(Args, Debug)]
pub(crate) struct NewSealArgs {
    /// A file with the 32 bytes of the new key-encryption key.
    #[arg(long, value_name = "FILE")]
    pub(crate) new_kek_file: Option<PathBuf>,
    /// A file whose first line is the new passphrase.
    #[arg(long, value_name = "FILE", conflicts_with = "new_kek_file")]
    pub(crate) new_passphrase_file: Option<PathBuf>,
    /// A file descriptor whose first line is the new passphrase; 0 is standard input.
    #[arg(long, value_name = "N", conflicts_with_all = ["new_kek_file", "new_passphrase_file"])]
    pub(crate) new_passphrase_fd: Option<u32>,
}

#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) action: ConfigAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigAction {
    /// Say which settings are in force.
    #[command(after_help = "Example: sts config show --origin")]
    Show {
        /// Say where each is from: a line of the file, a variable, an argument, or the default.
        #[arg(long)]
        origin: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// A folder for one page a verb: sts.1, sts-verify.1 and so on.
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
}
