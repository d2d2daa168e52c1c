"""The words of docs/benchmarks.md."""

INTRODUCTION = """\
What tradelake costs, as ratios of one run on one machine: against a floor, which merely reads, groups and writes the
same bytes, and against what else one might use. Seconds stand further down. This document is generated from
`bench/results.json` by the last run of `make bench`."""

PROVISIONAL = """\
**To be replaced.** These numbers are of a log too small to say anything, on a machine that was busy; they show the form
only. Run `make bench` on a quiet machine."""

FLOOR = """\
How many times as long tradelake takes. The floor checks nothing, matches nothing and remembers nothing: for an import
it reads the delivered files, sums them by account and symbol, and writes all tables of the book again; for a rebuild it
reads the log and writes the derived tables. It syncs nothing to disk, where tradelake has synced every commit. For a
day of 1,000 executions it reads, groups, writes and syncs that day alone; tradelake opens the book in a new process,
recognises what it has seen before, records durably, folds, and answers with all positions. For one record the floor is
a row in SQLite with `synchronous = FULL`."""

QUESTIONS_TEXT = """\
Milliseconds of tradelake, the first time after opening the book and the median of five more; and how many times that
is what DuckDB takes for the same question, put to the same Parquet files by hand. The files are in the cache of the
operating system both times. DuckDB reads what tradelake has derived; as of a past date nobody has derived anything, so
it sums quantities of trades, without lots, cost, expiries or assignments, and tradelake gives all of these."""

PEERS_TEXT = """\
Peers follow a plain log: trades only, no busts, nothing late, nothing that expires, whole cents; the busts, late fills
and option events of the full log are more than most of them know. Each peer is given what it takes best, and its
time is without starting Python, importing or compiling libraries and converting the data to its form; hledger is
a program that starts and reads its journal for each question. tradelake is measured on the same fills in the same run.
Its *import* reads, checks, records durably and derives all tables; its *rebuild* is the derivation alone, with all
tables written. Below 1 tradelake is faster.

Answers are compared by account and contract. Profit by FIFO is compared wherever a peer has it; a peer that works at
average price must have the same profit for what has ended flat, where every method comes to the same. Where a peer
knows no charges, profit is compared without them. A difference stops the run, unless the peer rounds on its way, and
then only as far as that rounding can go."""

SECONDS_TEXT = """\
Each in a process of its own, of which the memory is the peak. A night imports the broker's statement of a day, takes
the snapshot, reconciles, maintains and verifies. The late fill is of the account and symbol with most events; all that
came after it is matched again. The archive takes everything to cold storage and back, and fifty
questions must have the same answers hot, with the archive, and after the restore."""

SIZE_TEXT = """\
Bytes of Parquet per event, after maintenance. Hot files are those of the book, with the text of each source record
beside the event that was made of it; cold files are those of an archive. Small books have many months with few events
in each."""

LOG = """\
`bench/data.py` writes it, the same for the same size every time: four years of 100 accounts and 120 tickers, both drawn
by Zipf's law; prices that walk at random; options that end on real expiry sessions with strikes near the price. Orders
are filled in one to four parts. Of the options most are held to the end and expire, are assigned or are exercised, and
what is delivered is sold within a week. Some positions turn round in one fill, 0.3 % of the fills are busted and told
again with another price, and 0.5 % arrive one to three days late. It is written month by month and never in memory."""

COMMANDS = """\
```text
make bench                                                    # 100,000 and 1,000,000 events, and all peers
make bench BENCH_ARGS="--rows 10000000 --no-peers"            # ten million
make bench BENCH_ARGS="--rows 100000000 ingest rebuild day queries --folder /large/disk"
make bench BENCH_ARGS="--rows 100000 beancount postgres"      # some peers
make bench BENCH_ARGS="--document"                            # write this document again
```

Peers are installed on the first run, pinned, each into an environment of its own under the cache folder of the user, or
`TRADELAKE_BENCH_ENVS`; that needs a way to PyPI, some minutes and 3 GB. hledger is installed as a package of Debian,
by root. What cannot be installed is listed with the reason. What a run measures replaces what was there for the same
size, part by part; the rest of `bench/results.json` stays. Archive and export are left out of large sizes unless they
are named."""
