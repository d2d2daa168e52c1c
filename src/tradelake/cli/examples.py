"""What `--help` and the reference show of each command: a line or two that can be typed as they stand."""

from collections.abc import Iterator

import typer

FIRST = (
    "tradelake init",
    "tradelake import ibkr-flex STATEMENT.xml",
    "tradelake positions",
)
EXAMPLES: dict[str, tuple[str, ...]] = {
    "": FIRST,
    "init": ("tradelake init", "tradelake --book postgresql://desk@host/book init --data s3://bucket/book"),
    "import": ("tradelake import ibkr-flex STATEMENT.xml", "tradelake import executions fills.csv more.jsonl"),
    "record": ("tradelake record fills.jsonl", "producer | tradelake record -"),
    "mark": ("tradelake mark closes.csv",),
    "positions": ("tradelake positions --account GEN-1", "tradelake positions --as-of 2026-03-31 --json"),
    "lots": ("tradelake lots --symbol KO", "tradelake lots --account REV-1 --as-of 2026-03-31"),
    "matches": ("tradelake matches --symbol KO --since 2026-01-01 --csv",),
    "history": ("tradelake history --symbol KO --view economic",),
    "pnl": ("tradelake pnl --by account,year", "tradelake pnl --by symbol --since 2026-01-01"),
    "bridge": ("tradelake bridge --as-of 2026-03-31",),
    "chains": ("tradelake chains --symbol KO --status OPEN",),
    "chain-positions": ("tradelake chain-positions --symbol KO",),
    "marks": ("tradelake marks --symbol KO --since 2026-06-01",),
    "snapshots": ("tradelake snapshots --account GEN-1 --since 2026-06-01",),
    "account-snapshots": ("tradelake account-snapshots --since 2026-06-01",),
    "capital": ("tradelake capital",),
    "expiring": ("tradelake expiring --date 2026-06-30",),
    "nights": ("tradelake nights",),
    "instruments": ("tradelake instruments --symbol KO",),
    "runs": ("tradelake runs",),
    "refusals": ("tradelake refusals",),
    "records": ("tradelake records --outcome reject",),
    "archives": ("tradelake archives",),
    "sql": ('tradelake sql "select symbol, sum(realized_pnl) from matches group by all"',),
    "nightly": (
        "tradelake nightly --statement STATEMENT.xml --marks closes.csv",
        "tradelake nightly --date 2026-06-30",
    ),
    "snapshot": ("tradelake snapshot --date 2026-06-30",),
    "maintain": ("tradelake maintain --dry-run",),
    "reconcile": ("tradelake reconcile STATEMENT.xml",),
    "verify": ("tradelake verify", "tradelake verify --deep"),
    "backup": ("tradelake backup --to copies", "tradelake backup --to s3://bucket/backups"),
    "restore": ("tradelake restore copies --to restored", "tradelake restore 2025-03"),
    "archive": ("tradelake archive --before 2026-01-01 --to s3://bucket/cold --dry-run",),
    "rebuild": ("tradelake rebuild --check",),
    "settings": ("tradelake settings",),
    "doctor": ("tradelake doctor", "tradelake --book other doctor"),
    "accounts": ("tradelake accounts",),
    "accounts add": ("tradelake accounts add GEN-1 --broker U7700001 --type GEN --pattern 'GEN-*'",),
    "trades": ("tradelake trades --symbol KO --since 2026-03-30 --limit 20",),
    "trades show": ("tradelake trades show T-1",),
    "proposals": ("tradelake proposals --date 2026-07-06",),
    "proposals apply": ('tradelake proposals apply E-faa93adb --reason "gone from the account"',),
    "breaks": ("tradelake breaks --status all",),
    "breaks list": ("tradelake breaks list --status all --account GEN-1",),
    "breaks show": ("tradelake breaks show B-6787f4ef0c",),
    "breaks apply": ('tradelake breaks apply B-6787f4ef0c --reason "the feed was down"',),
    "breaks accept": ('tradelake breaks accept B-6787f4ef0c --reason "five cents"',),
    "breaks explain": ('tradelake breaks explain B-6787f4ef0c --reason "booked tomorrow"',),
    "app": ("tradelake app", "tradelake app --no-browser --port 8000"),
    "export": ("tradelake export xlsx desk.xlsx", "tradelake export tax-lots tax-2026.csv --year 2026"),
    "export xlsx": ("tradelake export xlsx desk.xlsx", "tradelake export xlsx ko.xlsx --symbol KO --since 2026-01-01"),
    "export csv": ("tradelake export csv positions.csv --tables positions",),
    "export parquet": ("tradelake export parquet trades.parquet --tables trades",),
    "export tax-lots": ("tradelake export tax-lots tax-2026.csv --year 2026",),
    "export report": ("tradelake export report night.html --date 2026-06-30",),
    "retention": ('tradelake retention --hot "24 months" --cold "7 years"',),
    "retention apply": ("tradelake retention apply --to s3://bucket/cold",),
    "holds": ("tradelake holds",),
    "holds list": ("tradelake holds list --released",),
    "holds place": ('tradelake holds place --account GEN-1 --reason "tax audit of 2026"',),
    "holds release": ('tradelake holds release H-1 --reason "the audit is closed"',),
    "migrations": ("tradelake migrations",),
    "migrations pending": ("tradelake migrations pending",),
    "migrations applied": ("tradelake migrations applied --json",),
    "migrations apply": ("tradelake migrations apply --dry-run",),
    "fold": ("tradelake fold",),
    "scenario": ("tradelake scenario wheel.yaml",),
    "export postgres": ("tradelake export postgres postgresql://desk@host/twin",),
    "version": ("tradelake version",),
    "completion": ('eval "$(tradelake completion bash)"', "tradelake completion fish | source"),
}


def with_examples(app: typer.Typer, prefix: str = "") -> None:
    """Give every command of an application its examples, as the last part of its help."""
    for command in app.registered_commands:
        command.epilog = _epilog(f"{prefix}{command.name}")
    for group in app.registered_groups:
        group.epilog = _epilog(f"{prefix}{group.name}")
        if group.typer_instance is not None:
            with_examples(group.typer_instance, f"{prefix}{group.name} ")
    if not prefix:
        app.info.epilog = _epilog("")


def _epilog(name: str) -> str | None:
    lines = [*_lines(EXAMPLES.get(name, ()))]
    return "\b\n" + "\n".join(lines) if lines else None


def _lines(examples: tuple[str, ...]) -> Iterator[str]:
    if examples:
        yield "Examples:" if len(examples) > 1 else "Example:"
    for example in examples:
        yield f"  {example}"
