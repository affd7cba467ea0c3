"""The real scorer with the model of the bundled log, one process for each story that asks for it."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from demo.house import NETWORKS, Workplace
from tests.stories.sample_people import SampleScorer, read_people
from tests.stories.scorer_process import scorer


@pytest.fixture(scope="module")
def sample_scorer(tmp_path_factory: pytest.TempPathFactory, trained_models: Path) -> Iterator[SampleScorer]:
    """Knows everybody of the log; what a story teaches it is gone when the story ends."""
    key = Workplace(trained_models.parent / "demo", trained_models).signing_key.with_suffix(".pub")
    settings = {"MODEL_DIR": str(trained_models), "MODEL_PUBLIC_KEYS": str(key), "IP_OVERLAY": str(NETWORKS)}
    with scorer(tmp_path_factory.mktemp("sample-scorer"), **settings) as process:
        process.start()
        with process.client(process.credential("score,outcomes,feedback,erase")) as client:
            yield SampleScorer(client, read_people(), count())
