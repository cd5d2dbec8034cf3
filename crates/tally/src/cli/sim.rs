//! `tally sim`: a simulator of OpenAI and Anthropic to try Tally against.

use std::net::SocketAddr;

use anyhow::Context as _;
use tally_sim::SimOptions;
use tokio::net::TcpListener;

use super::output;

/// Arguments of `tally sim`.
#[derive(Debug, clap::Args)]
pub(crate) struct SimArgs {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9090")]
    listen: SocketAddr,

    #[command(flatten)]
    options: SimOptions,
}

/// Runs `tally sim` until it is interrupted.
///
/// # Errors
/// The options are out of range or the address cannot be bound.
pub(crate) async fn run(args: SimArgs) -> anyhow::Result<()> {
    args.options.config.validate().map_err(anyhow::Error::msg)?;
    let listener = TcpListener::bind(args.listen).await.with_context(|| {
        format!("cannot listen on {}; choose another address with `--listen`", args.listen)
    })?;
    output::out(&greeting(listener.local_addr()?))?;
    let interrupted = async {
        // Without a handler for the signal, the process ends by it all the same.
        let _ = tokio::signal::ctrl_c().await;
    };
    tally_sim::serve(listener, args.options, interrupted).await?;
    Ok(())
}

fn greeting(address: SocketAddr) -> String {
    format!(
        "the simulator listens on http://{address}\n\n\
         Providers of Tally:\n\
         \x20   kind: Provider\n\
         \x20   name: openai\n\
         \x20   spec: {{ dialect: openai, base_url: \"http://{address}/v1\", api_key: {{ env: OPENAI_API_KEY }}, data_classes: [public, internal] }}\n\
         \x20   ---\n\
         \x20   kind: Provider\n\
         \x20   name: anthropic\n\
         \x20   spec: {{ dialect: anthropic, base_url: \"http://{address}\", api_key: {{ env: ANTHROPIC_API_KEY }}, data_classes: [public, internal] }}\n\n\
         Or straight from an SDK (any key of six characters or more):\n\
         \x20   export OPENAI_BASE_URL=http://{address}/v1 OPENAI_API_KEY=sk-sim-key\n\
         \x20   export ANTHROPIC_BASE_URL=http://{address} ANTHROPIC_API_KEY=sk-sim-key\n\n\
         What it served: http://{address}/sim/served    Settings: http://{address}/sim/config\n\
         Stop it with Ctrl-C."
    )
}

#[cfg(test)]
mod tests {
    use tally_store::documents::{Format, parse_documents};

    use super::*;

    #[test]
    fn the_providers_it_shows_can_be_applied() {
        let text = greeting("127.0.0.1:9090".parse().unwrap());
        let yaml: Vec<&str> = text
            .lines()
            .skip_while(|line| !line.contains("kind:"))
            .take_while(|line| !line.is_empty())
            .map(str::trim_start)
            .collect();
        let documents = parse_documents("x.yaml", &yaml.join("\n"), Format::Yaml).unwrap();
        assert_eq!(documents.len(), 2);
    }
}
