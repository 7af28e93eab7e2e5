//! Join tokens: who may be let in, and where.

use anyhow::bail;
use federation::trust::Token;
use federation::trust::tls::Chain;
use protocol::division::DivisionCode;
use protocol::id::NodeId;
use protocol::moving::Moves;

use crate::clock::Clock;
use crate::config::Config;
use crate::folder::Folder;
use crate::ops::home::Home;
use crate::store;
use crate::store::trust::{KeptToken, Route};

/// For what a token is.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Where the node will hang, or hangs.
    pub division: DivisionCode,
    /// The node that gets new keys on other hardware.
    pub replaces: Option<NodeId>,
    /// Levels between that have no node are left out for good.
    pub skip_levels: bool,
}

/// Gives out a join token for a division below this node, whatever levels lie between.
pub async fn give_token(folder: &Folder, division: DivisionCode, life_ms: i64) -> anyhow::Result<Token> {
    give_token_for(folder, Wanted { division, replaces: None, skip_levels: true }, life_ms).await
}

/// Whether a token for this would lead to a node in its right place. The nodes below are known by the ways to them.
fn plausible(wanted: &Wanted, config: &Config, routes: &[Route], places: &Moves) -> anyhow::Result<()> {
    let division = wanted.division;
    if !places.contains(config.node.division, division) || config.node.division == division {
        bail!("{division} is not below {}", config.node.division);
    }
    let there = routes.iter().find(|route| route.division == division).map(|route| route.member);
    match (wanted.replaces, there) {
        (Some(node), Some(there)) if node == there => return Ok(()),
        (Some(node), _) => bail!("{node} does not hang on {division}: `wuji status` lists the nodes below"),
        (None, Some(there)) => bail!("{division} has the node {there} already: for new hardware say --replace {there}"),
        (None, None) => {}
    }
    let between = routes.iter().filter(|route| places.contains(route.division, division));
    if let Some(nearest) = between.max_by_key(|route| route.division.level()) {
        bail!("{division} lies below {}, which has a node of its own: give the token out there", nearest.division);
    }
    if !wanted.skip_levels && division.parent() != Some(config.node.division) {
        let missing = division.parent().map(|parent| parent.to_string()).unwrap_or_default();
        bail!(
            "{missing} lies between and has no node: make that one first, or say --skip-levels when it will never have one"
        );
    }
    Ok(())
}

/// Gives out a join token.
pub async fn give_token_for(folder: &Folder, wanted: Wanted, life_ms: i64) -> anyhow::Result<Token> {
    let config = Config::load(folder.path())?;
    let division = wanted.division;
    let (_, mut write) = store::open(&Home::of(folder, &config)?.place, config.node.id).await?;
    let moves = write.moves().await?;
    let places = Moves::of(moves.iter().map(|signed| &signed.order));
    plausible(&wanted, &config, &write.routes().await?, &places)?;
    if config.link.advertise.starts_with("0.0.0.0:") || config.link.advertise.starts_with("[::]:") {
        bail!(
            "nodes below cannot reach {}: set link.advertise in {} to HOST:PORT",
            config.link.advertise,
            folder.path().join(crate::config::FILE_NAME).display()
        );
    }
    let chain = Chain::of(&folder.enrolled()?)?;
    let now = Clock::default().wall();
    let token = Token::new(config.node.id, division, &config.link.advertise, chain.root_spki_sha256()?, now, life_ms)?;
    let kept = KeptToken { secret: token.secret, division, expires: token.expires, request: None, answer: None };
    write.put_token(token.id, &kept).await?;
    let Some(replaced) = wanted.replaces else { return Ok(token) };
    write.bind_token(token.id, replaced).await?;
    Ok(token.replacing(replaced))
}
