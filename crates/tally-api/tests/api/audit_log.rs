//! The audit log by the API: what is exported can be verified, and exports are in it.

use tally_audit::{Checkpoint, InclusionProof, PublicKey, Trust, Verifier};

use crate::support::Company;

async fn get(company: &Company, path: &str) -> serde_json::Value {
    let reply = company.call("auditor", "GET", path, "").await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()
}

async fn checkpoint(company: &Company) -> Checkpoint {
    let signed = company.call("auditor", "POST", "/api/v1/audit/checkpoints", "").await.json();
    let newest = get(company, "/api/v1/audit/checkpoint").await;
    assert_eq!(signed, newest);
    Checkpoint::parse(signed["checkpoint"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_exported_log_holds_against_an_earlier_checkpoint() {
    let company = Company::new().await;
    let early = checkpoint(&company).await;
    company.call("admin", "POST", "/api/v1/keys/k-viewer/revoke", "").await;
    company.call("admin", "POST", "/api/v1/audit/keys", "").await;
    let reply = company.call("auditor", "GET", "/api/v1/audit/export", "").await;
    assert_eq!(reply.headers["content-type"], "application/x-ndjson");
    let size = early.head().size;
    let mut verifier = Verifier::new(Trust { checkpoints: vec![early], keys: Vec::new() });
    for line in reply.text.lines() {
        verifier.read(line).unwrap();
    }
    let report = verifier.finish().unwrap();
    // The revocation, the new key, and the export itself.
    assert_eq!((report.size, report.earlier), (size + 3, 1));
    let newest = get(&company, "/api/v1/audit?limit=1").await;
    assert_eq!(newest["items"][0]["action"], "export");
    assert_eq!(newest["items"][0]["actor"], "Person/p-auditor via Key/k-auditor");
}

#[tokio::test]
async fn one_entry_is_proven_and_growth_too() {
    let company = Company::new().await;
    let early = checkpoint(&company).await;
    let proof = get(&company, "/api/v1/audit/proof?entry=3").await;
    let proof: InclusionProof = serde_json::from_value(proof).unwrap();
    let keys = get(&company, "/api/v1/audit/keys").await;
    let key: PublicKey = keys["keys"][0]["key"].as_str().unwrap().parse().unwrap();
    assert_eq!(proof.verify(&[key]).unwrap(), *early.head());
    company.call("admin", "POST", "/api/v1/audit/keys", "").await;
    let (from, to) = (early.head().size, early.head().size + 1);
    let grown = get(&company, &format!("/api/v1/audit/consistency?from={from}&to={to}")).await;
    let hash = |value: &serde_json::Value| value.as_str().unwrap().parse().unwrap();
    let hashes: Vec<_> = grown["hashes"].as_array().unwrap().iter().map(hash).collect();
    assert_eq!(hash(&grown["from_root"]), early.head().root);
    let new = (to, hash(&grown["to_root"]));
    tally_audit::tree::verify_consistency(&hashes, (from, early.head().root), new).unwrap();
    for wrong in
        ["proof?entry=0", "proof?entry=100000", "proof?entry=1&size=2", "consistency?from=3&to=2"]
    {
        let reply = company.call("auditor", "GET", &format!("/api/v1/audit/{wrong}"), "").await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.text);
    }
}

#[tokio::test]
async fn tables_that_leave_the_house_are_in_the_trail() {
    let company = Company::new().await;
    let before = get(&company, "/api/v1/audit?limit=1").await["items"][0]["sequence"].clone();
    company.call("viewer", "GET", "/api/v1/events?format=json", "").await;
    let reply = company.call("viewer", "GET", "/api/v1/events?format=csv", "").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let newest = get(&company, "/api/v1/audit?limit=2").await;
    assert_eq!(newest["items"][0]["action"], "export");
    assert_eq!(newest["items"][0]["after"]["what"], "calls");
    assert_eq!(newest["items"][1]["sequence"], before, "reading alone leaves none");
}
