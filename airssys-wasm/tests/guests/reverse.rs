// Layer 3: Internal module imports
use crate::support::start;

#[tokio::test]
async fn a_guest_in_c_reverses() {
    let mut reverse = start("reverse").await;
    assert_eq!(reverse.ask("", "drawer").await.unwrap(), "reward");
    assert_eq!(reverse.ask("", "").await.unwrap(), "");
    let long: String = ('a'..='z').cycle().take(100_000).collect();
    let expected: String = long.chars().rev().collect();
    for _ in 0..20 {
        assert_eq!(reverse.ask("", long.as_str()).await.unwrap(), expected);
    }
}
