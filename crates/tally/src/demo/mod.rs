//! `tally demo`: Tally and a simulated provider in one process, for a company whose
//! people, history and traffic are made up.

mod accounts;
mod announce;
mod books;
mod chance;
mod choices;
mod company;
mod founding;
mod history;
mod http;
mod live;
mod outcome;
mod rollout;
mod sharing;
mod work;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use tally_api::SecretMaker;
use tally_ledger::Month;
use tally_sim::{FaultRates, SimConfig, SimOptions};
use tally_types::{Clock, Role, Weekday};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::{
    company::{Company, documents, secret_of_person, to_yaml, variables},
    founding::Founding,
    history::History,
    http::Tally,
    live::Traffic,
};
use crate::{
    clock::SystemClock,
    config::Config,
    output,
    resources::make_private_folder,
    secrets::MachineSecrets,
    serve::{Server, start_log, stop_signal},
};

/// Its name is the name of the set that owns the company's resources.
const COMPANY_FILE: &str = "demo.yaml";
/// The simulator's own record of what it served; totals cover all calls anyway.
const CALLS_KEPT: usize = 10_000;

/// How to run the demo.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {
    /// Where Tally listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Where the simulated provider listens.
    #[arg(long, default_value = "127.0.0.1:9090")]
    sim_listen: SocketAddr,
    /// The folder that holds the demo's data.
    #[arg(long = "demo-data", default_value = "./tally-data/demo")]
    folder: PathBuf,
    /// Decides the company, its history and its traffic.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many people the company has.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(10..=5_000))]
    people: u32,
    /// How many days of history are made at the first start.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    /// Ends by itself after so many seconds; 0 never does.
    #[arg(long, default_value_t = 0)]
    seconds: u64,
    /// Calls per second of live traffic in office hours; fewer at other times
    #[arg(long, default_value_t = 4.0, value_parser = rate)]
    rate: f64,
    #[command(flatten)]
    sim: SimConfig,
}

/// Runs until a signal, or as long as it was told to.
pub(crate) async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    let mut config = Config { listen: arguments.listen, ..Config::default() };
    config.data.clone_from(&arguments.folder);
    config.log.filter = "warn".to_owned();
    start_log(&config)?;
    make_private_folder(&config.data)?;

    let bind = async |address: SocketAddr| {
        let listener = TcpListener::bind(address).await;
        listener.with_context(|| format!("cannot listen on {address}"))
    };
    // Told before the history is made, which takes a while.
    drop(bind(arguments.listen).await?);
    let sim = bind(arguments.sim_listen).await?;
    let sim_address = sim.local_addr()?;
    let (company, founding) = found(&arguments, &config, sim_address).await?;
    let (company, today) = (Arc::new(company), founding.until.to_zoned(company::zone()).date());
    let months = books::whole_months(today, founding.days)?;
    let options =
        SimOptions { seed: arguments.seed, calls_kept: CALLS_KEPT, config: temper(arguments.sim) };
    let simulator = tokio::spawn(tally_sim::serve(sim, options, std::future::pending()));

    let keys = Arc::new(made_up_keys(&company));
    let secrets = MachineSecrets::with_made_up(BTreeMap::clone(&keys));
    let applied = [config.data.join(COMPANY_FILE)];
    let server = Server::start(config, Arc::new(secrets), &applied).await?;
    let tally = Tally::new(server.address()?)?;
    let demo = Demo {
        sim: sim_address,
        folder: arguments.folder,
        months,
        days: founding.days,
        traffic: Traffic { tally, company, keys, seed: arguments.seed, rate: arguments.rate },
    };
    let stop = CancellationToken::new();
    let open = tokio::spawn(demo.open(stop.clone()));
    let result = server.serve_until(end(arguments.seconds, stop.clone())).await;
    stop.cancel();
    let opened = open.await?;
    simulator.abort();
    result.and(opened)
}

/// What begins once Tally serves.
struct Demo {
    sim: SocketAddr,
    folder: PathBuf,
    /// Those that the history holds whole.
    months: Vec<Month>,
    /// How many days the history has.
    days: u32,
    traffic: Traffic,
}

// === impl Demo ===

impl Demo {
    /// Lets people in, says so, and has the company work until it is stopped; stops
    /// everything when that fails.
    async fn open(self, stop: CancellationToken) -> anyhow::Result<()> {
        let password = match self.let_people_in(&stop).await {
            Ok(Some(password)) => password,
            Ok(None) => return Ok(()),
            Err(error) => {
                stop.cancel();
                return Err(error);
            }
        };
        announce::announce(&self.traffic, self.sim, &self.folder, &password);
        self.traffic.run(SystemClock::new(), stop).await;
        Ok(())
    }

    /// People share what they know.
    async fn share(&self, finops: &str, today: tally_types::Date) -> anyhow::Result<()> {
        let Traffic { tally, company, keys, .. } = &self.traffic;
        let writes = |person: &&company::Person| person.roles == [Role::Developer];
        let mut people = company.people.iter().filter(writes).filter_map(|person| {
            let key = keys.get(&secret_of_person(person))?;
            Some((key.as_str(), &person.name.0))
        });
        // The first one is signed in by the demo: what others share can be seen, and what it would take
        // to be where they are.
        let (Some(colleague), Some((author, _))) = (people.next(), people.next()) else {
            return Ok(());
        };
        let days = i64::from(self.days);
        sharing::Circle { tally, finops, author, colleague, today, days }.work().await
    }

    /// The password that everyone has; none when the demo ends before it began.
    async fn let_people_in(&self, stop: &CancellationToken) -> anyhow::Result<Option<String>> {
        let Traffic { tally, company, keys, .. } = &self.traffic;
        let begun = async {
            tally.ready().await?;
            let admin = company.people.iter().find(|person| person.roles.contains(&Role::Admin));
            let admin = admin.and_then(|admin| keys.get(&secret_of_person(admin)));
            let password = accounts::made_up_password();
            accounts::open_accounts(tally, admin.context("no administrator")?, &password).await?;
            books::keep(tally, company, keys, &self.months).await?;
            let finops = company.people.iter().find(|person| person.roles.contains(&Role::Finops));
            if let Some(key) = finops.and_then(|finops| keys.get(&secret_of_person(finops))) {
                let today = SystemClock::new().now().to_zoned(company::zone()).date();
                rollout::Desk { tally, key, today }.work().await?;
                self.share(key, today).await?;
            }
            choices::choose(tally, company, keys).await;
            announce::write_env(&self.traffic, self.sim, &self.folder)?;
            anyhow::Ok(password)
        };
        tokio::select! {
            begun = begun => begun.map(Some),
            () = stop.cancelled() => Ok(None),
        }
    }
}

/// Unless told otherwise, a few calls fail, as they do anywhere.
fn temper(wanted: SimConfig) -> SimConfig {
    if wanted != SimConfig::default() {
        return wanted;
    }
    let faults = FaultRates {
        fault_429: 0.008,
        fault_500: 0.004,
        fault_529: 0.008,
        fault_cut: 0.002,
        ..FaultRates::default()
    };
    SimConfig { faults, ..wanted }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.1..=200.0).contains(&rate) { Ok(rate) } else { Err("expected 0.1 to 200".to_owned()) }
}

/// The company with its history in the warehouse and its resources in a file.
async fn found(
    arguments: &DemoArguments,
    config: &Config,
    sim: SocketAddr,
) -> anyhow::Result<(Company, Founding)> {
    let now = SystemClock::new().now();
    let wanted = Founding::new(arguments.seed, arguments.people, arguments.days, now);
    let founding = Founding::load_or(&config.data, wanted)?;
    let company = Company::new(founding.seed, usize::try_from(founding.people)?)?;
    let warehouse = config.data.join("warehouse.duckdb");
    let options = tally_warehouse::Options {
        memory_limit_bytes: config.warehouse.memory_bytes_max,
        // A day is too little for two threads, which would only wait for each other.
        threads: 1,
        time_zone: company::zone(),
        week_starts: Weekday::Monday,
    };
    let folder = config.data.clone();
    let company_file = config.data.join(COMPANY_FILE);
    tokio::task::spawn_blocking(move || {
        let history = History::new(&company, founding.seed, founding.days, founding.until)?;
        let resources = documents(&company, &format!("http://{sim}"), history.today())?;
        std::fs::write(company_file, to_yaml(&resources)?)?;
        if founding.rows.is_none() {
            let rows = history::load(&history, &warehouse, &options, now)?;
            Founding { rows: Some(rows), ..founding }.save(&folder)?;
        }
        Ok((company, founding))
    })
    .await?
}

/// New at every start: nothing of the demo opens anything later.
fn made_up_keys(company: &Company) -> BTreeMap<String, String> {
    let make = |name| (name, tally_api::OsSecrets.secret());
    variables(company).into_iter().map(make).collect()
}

/// Ends with a signal, after so many seconds, or when something has stopped the demo.
async fn end(seconds: u64, stop: CancellationToken) {
    let over = async {
        match seconds {
            0 => std::future::pending().await,
            seconds => tokio::time::sleep(Duration::from_secs(seconds)).await,
        }
    };
    tokio::select! {
        () = stop_signal() => {}
        () = over => output::line(&format!("{seconds} seconds are over")),
        () = stop.cancelled() => {}
    }
    stop.cancel();
}
