//! Renders Markdown to HTML: a plugin that somebody would really run untrusted.

use airssys_guest::{Actor, Message, TurnError, export};
use pulldown_cmark::{Options, Parser, html};

struct Markdown;

impl Actor for Markdown {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, TurnError> {
        match message.kind.as_str() {
            "" | "render" => Ok(Some(render(message.text()?).into_bytes())),
            other => Err(TurnError::reject(format_args!(
                "unknown kind `{other}`: send `render` with Markdown as the payload"
            ))),
        }
    }
}

export!(Markdown);

fn render(markdown: &str) -> String {
    let extensions = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS;
    // HTML comes out longer than its Markdown, but seldom by more than half.
    let mut page = String::with_capacity(markdown.len() + markdown.len() / 2);
    html::push_html(&mut page, Parser::new_ext(markdown, extensions));
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_on() {
        assert_eq!(
            render("- [x] ~~old~~"),
            "<ul>\n<li><input disabled=\"\" type=\"checkbox\" checked=\"\"/>\n<del>old</del></li>\n</ul>\n"
        );
        assert!(render("|a|\n|-|\n|b|").starts_with("<table>"));
        assert!(render("a[^1]\n\n[^1]: note").contains("footnote-definition"));
    }
}
