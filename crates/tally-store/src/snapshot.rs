//! The resources as the data plane reads them: typed, immutable, swapped whole.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tally_types::{
    ModelName, Name, ProviderName,
    spec::{
        Access, AccessRequestSpec, AdjustmentSpec, BaselineSpec, BudgetSpec, ContributionSpec,
        CostCenterSpec, ExceptionSpec, GrantSpec, KeySpec, ModelSpec, OrganizationSpec, PeriodSpec,
        PersonSpec, PolicySpec, PriceListSpec, ProviderSpec, QuarterlyReviewSpec, RateCardSpec,
        RolloutSpec, ScoreboardChoiceSpec, ScoringFormulaSpec, SprintSpec, StorySpec, TeamSpec,
        TemplateSpec, WorkloadSpec,
    },
};

/// Every resource, typed, as of one revision.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// The sequence of the last audit entry it contains.
    pub revision: u64,
    /// The company's name; none before an `Organization` is applied.
    pub organization_name: Option<Name>,
    /// The company; the default (UTC, USD) before one is applied.
    pub organization: OrganizationSpec,
    /// Where calls are sent.
    pub providers: BTreeMap<ProviderName, ProviderSpec>,
    /// Models that may be asked for.
    pub models: BTreeMap<ModelName, ModelSpec>,
    /// Prices by source.
    pub price_lists: BTreeMap<Name, PriceListSpec>,
    /// Who pays.
    pub cost_centers: BTreeMap<Name, CostCenterSpec>,
    /// Teams.
    pub teams: BTreeMap<Name, TeamSpec>,
    /// People.
    pub people: BTreeMap<Name, PersonSpec>,
    /// Registered workloads.
    pub workloads: BTreeMap<Name, WorkloadSpec>,
    /// Virtual keys.
    pub keys: BTreeMap<Name, KeySpec>,
    /// Budgets.
    pub budgets: BTreeMap<Name, BudgetSpec>,
    /// Temporary increases of budgets, and approvals that stages ask for.
    pub grants: BTreeMap<Name, GrantSpec>,
    /// Waivers of rules, in every state.
    pub exceptions: BTreeMap<Name, ExceptionSpec>,
    /// What people asked to use, in every state.
    pub access_requests: BTreeMap<Name, AccessRequestSpec>,
    /// What people were given, by person, made of the approved requests; what is over may
    /// still be in it, see [`access_of`](Self::access_of).
    pub access: BTreeMap<Name, Vec<Access>>,
    /// Guardrail rules.
    pub policies: BTreeMap<Name, PolicySpec>,
    /// What workloads used, signed off.
    pub baselines: BTreeMap<Name, BaselineSpec>,
    /// What cost centers pay.
    pub rate_cards: BTreeMap<Name, RateCardSpec>,
    /// Months of statements that are under review or closed.
    pub periods: BTreeMap<Name, PeriodSpec>,
    /// Differences from providers' bills that somebody decided about.
    pub adjustments: BTreeMap<Name, AdjustmentSpec>,
    /// How far cost centers have come, by their names; those that never moved are not in it.
    pub rollouts: BTreeMap<Name, RolloutSpec>,
    /// Sprints by month.
    pub sprints: BTreeMap<Name, SprintSpec>,
    /// Reviews of policies and prices by quarter.
    pub quarterly_reviews: BTreeMap<Name, QuarterlyReviewSpec>,
    /// How people want to appear on scoreboards, by person.
    pub scoreboard_choices: BTreeMap<Name, ScoreboardChoiceSpec>,
    /// How scoreboards are computed.
    pub scoring_formulas: BTreeMap<Name, ScoringFormulaSpec>,
    /// Prompts that people share.
    pub templates: BTreeMap<Name, TemplateSpec>,
    /// What people say they saved.
    pub stories: BTreeMap<Name, StorySpec>,
    /// What else people share.
    pub contributions: BTreeMap<Name, ContributionSpec>,
}

/// Why a snapshot's file could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The file system refused.
    #[error("snapshot {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no snapshot that this version can read.
    #[error("snapshot {}: {source}; expected what `Snapshot::save` wrote", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

// === impl Snapshot ===

impl Snapshot {
    /// Writes the snapshot so that a crash leaves the old file or the new one, never half;
    /// readable by its owner only. Blocks on the disk.
    ///
    /// # Errors
    /// The file system refused; the old file is untouched.
    pub fn save(&self, path: &Path) -> Result<(), SnapshotError> {
        self.write(path).map_err(|source| SnapshotError::Io { path: path.to_owned(), source })
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // Temporary files are made with mode 0600, and in the same folder a rename is atomic.
        let file = tempfile::Builder::new().prefix(".snapshot-").tempfile_in(folder)?;
        let mut writer = BufWriter::new(file);
        serde_json::to_writer(&mut writer, self)?;
        writer.flush()?;
        let file = writer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        // Makes the rename itself last.
        File::open(folder)?.sync_all()
    }

    /// Reads what [`save`](Self::save) wrote. Blocks on the disk.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn load(path: &Path) -> Result<Self, SnapshotError> {
        let file = File::open(path)
            .map_err(|source| SnapshotError::Io { path: path.to_owned(), source })?;
        serde_json::from_reader(BufReader::new(file))
            .map_err(|source| SnapshotError::Format { path: path.to_owned(), source })
    }
}
