//! Nodes below a parent: enrolled in number, as the parent's database would have them after as many joins, and what they
//! sign.

use std::sync::Arc;

use casework::{Actor, InForce, Intake, Keys, Known, Me, Role, World};
use federation::trust::{Authority, NodeKeys};
use protocol::chain::Signature;
use protocol::directory::Ancestor;
use protocol::division::DivisionCode;
use protocol::id::{BundleId, MessageId, NodeId, TokenId};
use protocol::wire::bundle::{Bundle, BundleHead, Message, Urgency};
use protocol::wire::control::Enrolled;
use protocol::wire::kind::Body;
use wuji::clock::{Clock, random, random_bytes};
use wuji::config::Config;
use wuji::folder::Folder;
use wuji::store;
use wuji::store::trust::{Child as Registered, Route};

use super::Failure;
use super::made::grid;
use crate::line::{case_id, report};

/// A node that was enrolled.
#[derive(Debug)]
pub struct Child {
    /// The node.
    pub node: NodeId,
    /// Where it hangs.
    pub division: DivisionCode,
    /// Its keys.
    pub keys: Arc<NodeKeys>,
    /// What the authority issued to it.
    pub enrolled: Enrolled,
}

struct Signing<'a>(&'a NodeKeys);

impl Keys for Signing<'_> {
    fn sign(&self, bytes: &[u8]) -> Signature {
        self.0.sign(bytes)
    }

    fn verify(&self, _: NodeId, _: &[u8], _: &Signature) -> bool {
        false
    }
}

impl Child {
    /// The node of a folder.
    pub fn of(folder: &Folder) -> Result<Self, Failure> {
        let config = Config::load(folder.path())?;
        let keys = Arc::new(NodeKeys::load(&folder.keys())?);
        Ok(Self { node: config.node.id, division: config.node.division, keys, enrolled: folder.enrolled()? })
    }

    /// Messages in a bundle, signed.
    pub fn seal(
        &self,
        to: NodeId,
        urgency: Urgency,
        receipted: bool,
        messages: Vec<Message>,
    ) -> Result<Bundle, Failure> {
        let (id, key) = (BundleId::new(Clock::default().wall(), random_bytes()), self.keys.signing_key().id());
        let head = BundleHead { id, origin: self.node, key, to, urgency, receipted };
        Ok(Bundle::seal(head, messages, |bytes| self.keys.sign(bytes))?)
    }

    /// The headers that a new case of so many people sends to the node above: 20 make it orange, 5 red.
    pub fn headers(&self, above: Ancestor, holds: &InForce, people: u32) -> Result<Vec<Message>, Failure> {
        let mut intake = report(&case_id(), people, "settle_here");
        *intake.get_mut("place").ok_or("a report has a place")? = self.division.to_string().into();
        let intake: Intake = serde_json::from_value(intake)?;
        let (known, by) =
            (Known::assemble(intake.case, Vec::new()), Actor::everywhere("bench", "bench", &[Role::GridWorker]));
        let mut entropy = random;
        let mut world = World {
            me: Me { node: self.node, division: self.division },
            line: &[above],
            holds,
            now: Clock::default().reading(),
            entropy: &mut entropy,
            keys: &Signing(&self.keys),
            mutant: None,
        };
        let decision = casework::open(intake, &by, &known, &mut world).map_err(|why| format!("{why:?}"))?;
        let bodies = decision.outgoing.into_iter().filter_map(|letter| letter.into_body(&|_, _| None));
        bodies.filter(|body| matches!(body, Body::Header(_))).map(message).collect()
    }
}

/// A message of a body.
pub fn message(body: Body) -> Result<Message, Failure> {
    let (kind, schema) = body.kind();
    let id = match &body {
        Body::Header(header) => header.id.into(),
        _ => MessageId::new(Clock::default().wall(), random_bytes()),
    };
    Ok(Message { id, kind, schema, body: body.encode()? })
}

/// Enrols children directly below the top, whose process does not run.
pub async fn enrol(top: &Folder, count: usize) -> Result<Vec<Child>, Failure> {
    let parent = Config::load(top.path())?.node.id;
    let mut authority = Authority::load(&top.authority())?;
    let (clock, mut children) = (Clock::default(), Vec::with_capacity(count));
    let (_, mut write) = store::open(&top.database().into(), parent).await?;
    write.begin().await?;
    for number in 0..count {
        let (division, keys) = (grid(number as u64), NodeKeys::generate()?);
        let node = NodeId::new(clock.wall(), random_bytes());
        let request = keys.join_request(TokenId::from_bytes([0; 16]), node, division)?;
        let enrolled = authority.issue(&request, Some(parent), clock.wall())?;
        write.put_entry(&enrolled.entry).await?;
        write.put_child(Registered { node, division, spki: keys.tls_spki_sha256() }).await?;
        write.put_route(Route { member: node, via: node, division }).await?;
        children.push(Child { node, division, keys: Arc::new(keys), enrolled });
    }
    write.commit().await?;
    Ok(children)
}
