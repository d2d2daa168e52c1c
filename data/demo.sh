#!/bin/sh
# Builds a book from the sample data and shows what can be asked of it. Run by `make demo`.
# DEMO_FOLDER names the folder for the book; what is in it already is removed.
set -eu
cd "$(dirname "$0")/.."

folder=${DEMO_FOLDER:-data/demo}
rm -rf "$folder"
mkdir -p "$folder"
TRADELAKE_BOOK=$folder/book
export TRADELAKE_BOOK

# Say in plain words what comes next.
say() {
  printf '\n'
  printf '# %s\n' "$@"
}

# Print a command as a person would type it, then its output.
run() {
  printf '$ tradelake'
  for word in "$@"; do
    case $word in
      *\'*) printf ' "%s"' "$word" ;;
      *[!A-Za-z0-9_./=,-]*) printf " '%s'" "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
  tradelake "$@"
}

echo "The demo makes a book of half a year of sample trades in $folder/book."
printf '$ export TRADELAKE_BOOK=%s\n' "$TRADELAKE_BOOK"

say "A book is a folder: a catalog, and Parquet files beside it."
run init

say "Three of our accounts share the brokerage account U7700001. The order reference says whose trade" \
  "it is; what has none, as interest and dividends, goes to the default."
run accounts add GEN-1 --broker U7700001 --type GEN --pattern 'GEN-*'
run accounts add REV-1 --broker U7700001 --type REV --pattern 'REV-*'
run accounts add COM-1 --broker U7700001 --type COM --pattern 'COM-*' --default

say "STAR-LAB has an account of its own, in another brokerage account."
run accounts add STAR-1 --broker U7700002 --type STAR

say "Import half a year of an IBKR Flex statement: trades, assignments, expiries, cash."
run import ibkr-flex data/sample_flex.xml

say "Import fills of the STAR-LAB strategies, one JSON object per line."
run import executions data/sample_fills.jsonl

say "Import the statement again: every event is recognised, and the log stays as it was."
run import ibkr-flex data/sample_flex.xml

say "The accounts."
run accounts

say "A few trades: the wheel on KO. The put is sold, assigned, and calls are sold on the shares."
run trades --account REV-1 --symbol KO --since 2026-03-23 --limit 12

say "What is held. A short position has a negative quantity, and a negative basis: the credit."
run positions

say "The lots of one symbol: what each opening left."
run lots --symbol MSFT

say "Closed positions, each from flat to flat." \
  "An assigned put realizes nothing: its premium went into the shares."
run history --account REV-1 --symbol KO --since 2026-04-01 --limit 12

say "The same as campaigns: a put, its roll, the assignment and the calls that followed are one chain."
run chains --account REV-1 --symbol KO

say "What lies between the tax view and the economic view: the premium that open shares carry."
run bridge

say "Profit and loss by account and month."
run pnl

say "The same by STAR-LAB strategy."
run pnl --account STAR-1 --by strategy

say "Any other question, in SQL. Nothing can be written that way."
run sql "select symbol, how, count(*) as matches, sum(realized_pnl) as realized
  from matches where account_id = 'REV-1' group by all order by all"

say "Derive everything from the log anew, and compare it with what is stored."
run rebuild --check

cat <<END

Done. The same with your own Flex statement (an XML file of a Flex query):

  . .venv/bin/activate
  tradelake --book mybook init
  tradelake --book mybook import ibkr-flex STATEMENT.xml
  tradelake --book mybook positions

The demo's book stays in $folder/book. To look at it in the browser:

  .venv/bin/tradelake --book $folder/book app

Next: docs/tutorial.md, a quarter of an hour from install to a reconciled night.
END
