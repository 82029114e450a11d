// Layer 3: Internal module imports
use airssys_wasm::core::runtime::errors::FaultKind;

use crate::support::{fault, start};

#[tokio::test]
async fn renders_markdown() {
    let mut markdown = start("markdown").await;
    let html = markdown
        .ask("render", "# Hi\n\n*you* & |me|")
        .await
        .unwrap();
    assert_eq!(html, "<h1>Hi</h1>\n<p><em>you</em> &amp; |me|</p>\n");
    assert_eq!(markdown.ask("", "").await.unwrap(), "");
}

#[tokio::test]
async fn renders_this_projects_readme() {
    let readme = std::fs::read_to_string("../README.md").unwrap();
    let html = start("markdown").await.ask("render", readme).await.unwrap();
    assert!(html.starts_with("<h1>airssys</h1>"), "{html:.80}");
    assert!(html.contains("<table>") && html.contains("<pre><code"));
}

#[tokio::test]
async fn hostile_input_is_rejected_or_rendered_and_never_traps() {
    let mut markdown = start("markdown").await;
    let not_text = markdown.ask("render", vec![0xff; 16]).await;
    assert_eq!(fault(not_text), FaultKind::Rejected);
    assert_eq!(fault(markdown.ask("print", "x").await), FaultKind::Rejected);
    for nested in ["> ", "- ", "[", "*a **b ", "<"] {
        let html = markdown.ask("render", nested.repeat(2_000)).await;
        assert!(html.is_ok(), "{nested}: {html:?}");
    }
}
