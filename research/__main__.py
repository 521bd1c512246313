"""`python -m research run STUDY` measures what is not yet measured; `python -m research pages` shows it."""

from pathlib import Path

import click

from emoscope.errors import EmoscopeError

from . import pages, plan, runner


@click.group(help=__doc__)
def main() -> None:
    """The two commands."""


@main.command("run")
@click.argument("study", type=click.Choice(plan.studies()))
@click.option("--only", "names", multiple=True, metavar="NAME", help="Only this run; can be given again.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), default="/data", show_default=True,
              envvar="EMOSCOPE_DATA", help="Folder that holds ferplus/, cremad/ and the others.")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path, file_okay=False), default="runs", show_default=True,
              help="Folder for trainings and what was observed.")  # fmt: skip
def run_(study: str, names: tuple[str, ...], data: Path, cache: Path) -> None:
    """Run a study's runs that are not done; a row a figure is added to results/STUDY.csv."""
    try:
        runner.run(plan.load(study), names, data, cache)
    except EmoscopeError as error:
        raise click.ClickException(str(error)) from None


@main.command("pages")
def pages_() -> None:
    """Make the pages and pictures in results/, and the figures that other pages quote, from the tables."""
    for path in pages.write():
        click.echo(path.relative_to(plan.ROOT))


if __name__ == "__main__":
    main()
