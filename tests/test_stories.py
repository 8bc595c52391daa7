"""Traffic as it is in the wild, counted in stories: each is counted right."""

import pytest

from tests.stories import STORIES, Outcome, outcomes


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return {each.name: each for each in outcomes(tmp_path_factory.mktemp("stories"))}


@pytest.mark.parametrize("story", [story.name for story in STORIES])
def test_a_story_is_counted_as_it_happened(story: str, counted: dict[str, Outcome]) -> None:
    assert counted[story].found == counted[story].expected
