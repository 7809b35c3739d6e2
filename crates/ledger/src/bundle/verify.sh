#!/bin/sh
# Checks this bundle with nothing of its maker's: a shell, openssl 3, sha256sum and the other GNU coreutils.
#
#   sh data/verify.sh 'name+id+base64'
#
# The argument is the record's public key, from paper or from somebody who got it when it was made. Without it the key
# in the bundle is used: then only that its parts fit together is shown, since whoever forged them could have put in a key.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

wrong() {
  echo "WRONG  $*" >&2
  exit 1
}
unhex() { tr a-f A-F | basenc --base16 -d; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
hashed() { sha256sum | cut -c 1-64; }

# The files are those that were packed.
sha256sum --check --strict --quiet tagmanifest-sha256.txt || wrong "a file about the bundle was altered"
sha256sum --check --strict --quiet manifest-sha256.txt || wrong "a file was altered or is missing"
line_end='
'
listed=$(cat manifest-sha256.txt)$line_end
for file in data/* data/*/*; do
  [ -f "$file" ] || continue
  case $listed in *"  $file$line_end"*) ;; *) wrong "$file is in no manifest" ;; esac
done

# The checkpoint was signed by the key.
key=${1:-}
if [ -z "$key" ]; then
  read -r key < data/log.vkey
  echo "known  the key was taken from the bundle itself: compare it with the one on paper: $key"
fi
origin=${key%%+*}
public=${key#*+}
public=${public#*+}
{ printf 302a300506032b6570032100 | unhex; printf %s "$public" | base64 -d | tail -c 32; } > "$work/key.der"
head -n 3 data/checkpoint > "$work/text"
{ read -r name; read -r size; read -r root; } < data/checkpoint
[ "$name" = "$origin" ] || wrong "the checkpoint is of $name, and the key of $origin"
signed=no
tail -n +5 data/checkpoint > "$work/signatures"
while read -r _dash by signature; do
  [ "$by" = "$origin" ] || continue
  printf %s "$signature" | base64 -d | tail -c 64 > "$work/signature"
  if openssl pkeyutl -verify -pubin -inkey "$work/key.der" -keyform DER -rawin -in "$work/text" \
    -sigfile "$work/signature" > "$work/said" 2>&1; then
    signed=yes
  fi
done < "$work/signatures"
[ "$signed" = yes ] || wrong "this key did not sign the checkpoint"
root=$(printf %s "$root" | base64 -d | hex)

# Every entry is in the record that was signed, at its place.
records=0
seen=" "
total=0
for record in data/records/*.json; do
  [ -e "$record" ] || continue
  number=${record##*/}
  number=${number%.json}
  place=$(expr "$number" + 0) || true
  {
    read -r version
    read -r word at
    [ "$version" = c2sp.org/tlog-proof@v1 ] && [ "$word" = index ] && [ "$at" = "$place" ] || wrong "the proof of $record is of another place"
    hash=$({ printf '\000'; cat "$record"; } | hashed)
    last=$((size - 1))
    while read -r beside && [ -n "$beside" ]; do
      beside=$(printf %s "$beside" | base64 -d | hex)
      if [ $((at % 2)) = 1 ] || [ "$at" = "$last" ]; then
        hash=$(printf '01%s%s' "$beside" "$hash" | unhex | hashed)
        while [ $((at % 2)) = 0 ] && [ "$at" != 0 ]; do
          at=$((at / 2))
          last=$((last / 2))
        done
      else
        hash=$(printf '01%s%s' "$hash" "$beside" | unhex | hashed)
      fi
      at=$((at / 2))
      last=$((last / 2))
    done
    cat > "$work/note"
  } < "data/proofs/$number.tlog-proof"
  [ "$last" = 0 ] && [ "$hash" = "$root" ] || wrong "$record is not in the record that was signed"
  [ "$(hashed < "$work/note")" = "$(hashed < data/checkpoint)" ] || wrong "the proof of $record is for another checkpoint"
  records=$((records + 1))
  body=$(cat "$record")
  case $body in
    *'"aseq":'*)
      aseq=${body#*'"aseq":'}
      aseq=${aseq%%[!0-9]*}
      seen="$seen$aseq "
      total=$((total + 1))
      ;;
  esac
  case $body in
    *'"count":'*'"type":"activation.closed"'*)
      count=${body#*'"count":'}
      count=${count%%[!0-9]*}
      [ "$count" = $((aseq + 1)) ] || wrong "$record says that it closes $count entries, and it is number $((aseq + 1))"
      ;;
  esac
done

# Every private value is one that an entry committed to.
values=0
for value in data/disclosures/*.json; do
  [ -e "$value" ] || continue
  digest=$(hashed < "$value")
  [ "data/disclosures/$digest.json" = "$value" ] || wrong "$value was altered"
  held=no
  for record in data/records/*.json; do
    case $(cat "$record") in *"{\"sd\":\"$digest\"}"*) held=yes && break ;; esac
  done
  [ "$held" = yes ] || wrong "no entry committed to $value"
  values=$((values + 1))
done

# No entry of the activation is missing without being named as withheld.
withheld=0
tail -n +2 data/withheld.csv > "$work/withheld"
while IFS=, read -r _index _leaf aseq _rest; do
  withheld=$((withheld + 1))
  [ -n "$aseq" ] || continue
  seen="$seen$aseq "
  total=$((total + 1))
done < "$work/withheld"
number=0
while [ "$number" -lt "$total" ]; do
  case $seen in *" $number "*) ;; *) wrong "entry $number of the activation is missing and not named as withheld" ;; esac
  number=$((number + 1))
done

echo "the first $size entries of $origin were signed, with root $root"
echo "compare that with a checkpoint that was kept outside: the same size must have the same root"
echo "$records entries are in it; $values private values belong to them; $withheld entries and values are named as withheld"
