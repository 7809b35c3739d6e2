#!/bin/sh
# Checks this bundle with nothing of its maker's: a shell, openssl 3, sha256sum and the other GNU coreutils.
#
#   sh data/verify.sh 'name+id+base64' [authority.pem]
#
# The argument is the record's public key, from paper or from somebody who got it when it was made. Without it the key
# in the bundle is used: then only that its parts fit together is shown, since whoever forged them could have put in a key.
# The second is a file (PEM) with the certificates of authorities whose time stamps you trust, from them: of their roots and
# of those between. Then it is checked that they signed the stamps that are in the bundle.
#
# It ends 0 where everything holds under the key that was given, 1 where something is wrong, 3 where this machine cannot check
# it, or certificates were given and a time stamp was not verified, and 2 where none of this is so and no key was given.
set -eu
LC_ALL=C
export LC_ALL
authority=${2:-}
case $authority in '' | /*) ;; *) authority=$PWD/$authority ;; esac
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What the bundle says is shown without what would do something to a terminal.
clean() { tr -c '\012\040-\176' '?'; }
say() { printf '%s\n' "$(printf %s "$1" | tr '\012' '?' | clean)"; }
wrong() {
  say "WRONG  $1" >&2
  exit 1
}
unhex() { tr a-f A-F | basenc --base16 -d; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
hashed() { sha256sum | cut -c 1-64; }
# Whether it is a number as the formats write it, and not more than a shell counts: nothing else is reckoned with.
is_number() {
  case $1 in
    0) return 0 ;;
    '' | 0* | *[!0-9]*) return 1 ;;
  esac
  [ "${#1}" -le 15 ]
}
is_hash() {
  case $1 in *[!0-9a-f]*) return 1 ;; esac
  [ "${#1}" = 64 ]
}

# What is needed is here and works, or a bundle would be called wrong that is not. The signature is of the letter r, from
# RFC 8032, 7.1.
unable() {
  say "NOT CHECKED  $1" >&2
  exit 3
}
{
  printf 302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c | unhex > "$work/key.der" &&
    printf 92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00 |
    unhex > "$work/signature" && [ -s "$work/signature" ]
} 2> "$work/said" || unable "this needs basenc of the GNU coreutils: try another machine"
{
  printf cg== | base64 -d > "$work/text" && [ "$(hex < "$work/text")" = 72 ] &&
    printf '%s  %s\n' 454349e422f05297191ead13e21d3db520e5abef52055e4964b82fb213f593a1 "$work/text" > "$work/list" &&
    sha256sum --check --strict --quiet "$work/list" && [ "$(hashed < "$work/text")" = 454349e422f05297191ead13e21d3db520e5abef52055e4964b82fb213f593a1 ]
} > "$work/said" 2>&1 || unable "this needs sha256sum, base64 and od of the GNU coreutils: try another machine"
openssl pkeyutl -verify -pubin -inkey "$work/key.der" -keyform DER -rawin -in "$work/text" -sigfile "$work/signature" > "$work/said" 2>&1 ||
  unable "this needs openssl 3, which knows Ed25519 and -rawin: try another machine"
if [ -n "$authority" ]; then
  cat "$authority" > "$work/authority.pem" 2> "$work/said" || unable "the file with the certificates cannot be read: $2"
  case $(tr -d '\000' < "$work/authority.pem") in
    *'-----BEGIN '*'CERTIFICATE-----'*) ;;
    *) unable "no certificate is in $2: it must be a PEM file (of one in DER, openssl x509 -inform DER makes it)" ;;
  esac
  authority=$work/authority.pem
fi

# The files are those that were packed.
listed_in() {
  sha256sum --check --strict --quiet "$1" > "$work/said" 2>&1 && return
  clean < "$work/said" >&2
  wrong "$2"
}
listed_in tagmanifest-sha256.txt "a file about the bundle was altered"
listed_in manifest-sha256.txt "a file was altered or is missing"
line_end='
'
listed=$line_end$(cut -c 67- manifest-sha256.txt)$line_end
for file in data/* data/.[!.]* data/..?* data/*/* data/*/.[!.]* data/*/..?*; do
  [ -e "$file" ] || continue
  if [ -d "$file" ]; then
    case $file in data/*/*) wrong "$file is a folder that does not belong" ;; esac
    continue
  fi
  case $listed in *"$line_end$file$line_end"*) ;; *) wrong "$file is in no manifest" ;; esac
done
activation=
while IFS= read -r line; do
  case $line in 'External-Identifier: '*) activation=${line#*: } ;; esac
done < bag-info.txt
[ -n "$activation" ] || wrong "bag-info.txt does not say of which activation this is"

# The checkpoint was signed by the key.
key=${1:-}
given=yes
if [ -z "$key" ]; then
  given=no
  read -r key < data/log.vkey
fi
origin=${key%%+*}
public=${key#*+}
public=${public#*+}
{ printf 302a300506032b6570032100 | unhex; printf %s "$public" | base64 -d | tail -c 32; } > "$work/key.der"
is_signed() {
  head -n 3 "$1" > "$work/text"
  tail -n +5 "$1" > "$work/signatures"
  while read -r _dash by signature; do
    [ "$by" = "$origin" ] || continue
    printf %s "$signature" | base64 -d | tail -c 64 > "$work/signature"
    if openssl pkeyutl -verify -pubin -inkey "$work/key.der" -keyform DER -rawin -in "$work/text" \
      -sigfile "$work/signature" > "$work/said" 2>&1; then
      return 0
    fi
  done < "$work/signatures"
  return 1
}
{ read -r name; read -r size; read -r root; } < data/checkpoint
[ "$name" = "$origin" ] || wrong "the checkpoint is of $name, and the key of $origin"
is_signed data/checkpoint || wrong "this key did not sign the checkpoint"
is_number "$size" && [ "$size" != 0 ] || wrong "the size in the checkpoint is no number of entries"
root=$(printf %s "$root" | base64 -d | hex)
is_hash "$root" || wrong "the root in the checkpoint is no hash"

# The record begins with each checkpoint that a place outside is said to have (RFC 9162, 2.1.4.2).
begins_with() {
  file=data/anchors/$(printf %010d "$1").consistency
  [ -f "$file" ] || wrong "$file is missing"
  {
    read -r word at
    [ "$word" = old ] && [ "$at" = "$1" ] || wrong "$file does not begin as it should"
    earlier=$2
    later=$2
    place=0
    last=0
    if [ "$at" != "$size" ]; then
      place=$((at - 1))
      last=$((size - 1))
      while [ $((place % 2)) = 1 ]; do
        place=$((place / 2))
        last=$((last / 2))
      done
      # A tree of a power of two is itself where the way begins.
      if [ "$place" != 0 ]; then
        read -r earlier
        earlier=$(printf %s "$earlier" | base64 -d | hex)
        is_hash "$earlier" || wrong "$file holds what is no hash"
      fi
      later=$earlier
    fi
    while read -r beside && [ -n "$beside" ]; do
      beside=$(printf %s "$beside" | base64 -d | hex)
      is_hash "$beside" || wrong "$file holds what is no hash"
      [ "$last" != 0 ] || wrong "$file is too long"
      if [ $((place % 2)) = 1 ] || [ "$place" = "$last" ]; then
        earlier=$(printf '01%s%s' "$beside" "$earlier" | unhex | hashed)
        later=$(printf '01%s%s' "$beside" "$later" | unhex | hashed)
        while [ $((place % 2)) = 0 ] && [ "$place" != 0 ]; do
          place=$((place / 2))
          last=$((last / 2))
        done
      else
        later=$(printf '01%s%s' "$later" "$beside" | unhex | hashed)
      fi
      place=$((place / 2))
      last=$((last / 2))
    done
    cat > "$work/note"
  } < "$file"
  [ "$last" = 0 ] && [ "$earlier" = "$2" ] && [ "$later" = "$root" ] || wrong "the record does not begin with what went outside: $file"
  [ "$(hashed < "$work/note")" = "$(hashed < data/checkpoint)" ] || wrong "$file leads to another checkpoint"
}

# What is left of a hex text behind so many letters.
behind() { printf %s "$2" | cut -c "$(($1 + 1))-"; }

# What an authority signs of a stamp, in hex, is found by its place (RFC 3161, 2.4.2 and RFC 5652, 5.1), and by nothing that lies
# around it: whoever made the bundle may have put anything there. `enter` takes the tag and the length off the first element
# of `der`, which then begins with its content of so many letters; `pass` takes all of it. Nothing is left where it is not so.
enter() {
  letters=$(printf %s "$der" | cut -c 3-4)
  case $der in "$1"*) ;; *) letters= ;; esac
  case $letters in
    8[1-3])
      der=$(behind 4 "$der")
      bytes=$((2 * ${letters#8}))
      letters=$(printf %s "$der" | cut -c "1-$bytes")
      der=$(behind "$bytes" "$der")
      ;;
    [0-7]?) der=$(behind 4 "$der") ;;
    *) letters=0 der= ;;
  esac
  [ -n "$letters" ] || letters=0 der=
  letters=$((2 * 0x$letters))
}
pass() {
  enter "$1"
  der=$(behind "$letters" "$der")
}
signed_of() {
  der=$(hex < "$1")
  enter 30
  pass 30
  enter 30
  pass 06
  enter a0
  enter 30
  pass 02
  pass 31
  enter 30
  pass 06
  enter a0
  enter 04
  case $letters in
    0) der= ;;
    *) der=$(printf %s "$der" | cut -c "1-$letters") ;;
  esac
}

# What a stamp says nothing of.
since() {
  if [ "$older" -le "$through" ]; then
    printf '; it does not cover all of this'
    return
  fi
  [ "$closed" = no ] || printf '; the record says that this was closed at %s, and what was rewritten between then and the stamp it does not show' "$closed_at"
}

# A stamp is the one that the entry has, and is of the note beside it: what is signed of it begins, behind its version and the
# authority's policy, with that note's SHA-256, as the time stamp protocol writes it, with or without the empty parameters of
# the algorithm; and then come the number and the time that the entry says.
stamps=
verified=no
unverified=no
is_stamped() {
  [ -f "$2" ] || wrong "$1 is a time stamp, and $2 is missing"
  [ -f "$3" ] || wrong "$1 is another time stamp than entry $4 has"
  words=$(cat "$3")
  case $words in
    *'"receipt":{"rfc3161":{"at":"'*'","serial":"'*'","token":"'"$(base64 "$1" | tr -d '\n')"'"}},'*) ;;
    *) wrong "$1 is another time stamp than entry $4 has" ;;
  esac
  words=${words#*'"receipt":{"rfc3161":{"at":"'}
  at=${words%%\"*}
  case $at in
    *[!0-9:.TZ-]*) wrong "entry $4 says another time or serial number than $1" ;;
    [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]*Z) ;;
    *) wrong "entry $4 says another time or serial number than $1" ;;
  esac
  words=${words#*'","serial":"'}
  number=${words%%\"*}
  # A number that is not negative begins with a bit that is not set.
  case $number in [!0-7]*) number=00$number ;; esac
  time=$(printf %s "$at" | tr -d ':T-')
  number=$(printf '02%02x%s18%02x%s' $((${#number} / 2)) "$number" ${#time} "$(printf %s "$time" | hex)")
  of=$(hashed < "$2")
  signed_of "$1"
  enter 30
  pass 02
  pass 06
  case $der in
    3031300d060960864801650304020105000420"$of$number"* | 302f300b06096086480165030402010420"$of$number"*) ;;
    3031300d060960864801650304020105000420"$of"* | 302f300b06096086480165030402010420"$of"*)
      wrong "entry $4 says another time or serial number than $1"
      ;;
    *) wrong "$1 is a time stamp of something else than $2" ;;
  esac
  if [ -z "$authority" ]; then
    stamps="${stamps}NOT CHECKED  that an authority signed the time stamp of $5, which says $at: give the certificates of its root and of those between as the second argument, or run$line_end  openssl ts -verify -data $2 -in $1 -CAfile AUTHORITY.pem$line_end"
  elif openssl ts -verify -data "$2" -in "$1" -CAfile "$authority" > "$work/said" 2>&1; then
    verified=yes
    counts=yes
    stamps="${stamps}an authority whose certificates were given signed the time stamp of $5, which says $at$(since)$line_end"
  elif seconds=$(date -u -d "$at" +%s 2> "$work/said") &&
    openssl ts -verify -data "$2" -in "$1" -CAfile "$authority" -attime "$seconds" > "$work/said" 2>&1; then
    verified=yes
    counts=yes
    stamps="${stamps}an authority whose certificates were given signed the time stamp of $5, which says $at: as of its own time, and not as of today by this machine's clock$(since)$line_end"
  else
    unverified=yes
    stamps="${stamps}NOT VERIFIED  that an authority signed the time stamp of $5, which says $at: that takes the certificates of the authority's root and of those between; the one that stamps is in it already$line_end"
  fi
}

# What is withheld, by its number within the activation or by its digest.
withheld=0
total=0
left=" "
last_own=-1
ended_at=-1
seen=" "
named=" "
{
  read -r heading
  [ "$heading" = index,leaf_hash,aseq,value,label,reason ] || wrong "data/withheld.csv does not begin as it should"
  while IFS=, read -r index leaf aseq value _rest; do
    is_number "$index" && is_hash "$leaf" || wrong "a line of data/withheld.csv does not read"
    [ "$index" -lt "$size" ] || wrong "entry $index of data/withheld.csv lies beyond the $size entries that were signed"
    withheld=$((withheld + 1))
    [ -n "$value" ] || left="$left$index "
    if [ -n "$aseq" ]; then
      [ "$index" -le "$last_own" ] || last_own=$index
      is_number "$aseq" || wrong "a line of data/withheld.csv does not read"
      case $seen in *" $aseq "*) wrong "entry $aseq of the activation is named twice" ;; esac
      seen="$seen$aseq "
      total=$((total + 1))
    fi
    if [ -n "$value" ]; then
      is_hash "$value" || wrong "a line of data/withheld.csv does not read"
      named="$named$value "
    fi
  done
} < data/withheld.csv

# Every entry is in the record that was signed, at its place, and of this activation; and every value that it commits to
# is there or named as withheld.
records=0
committed=" "
ended=-1
closed=no
closed_at=
for record in data/records/*; do
  [ -e "$record" ] || continue
  number=${record##*/}
  number=${number%.json}
  proof=data/proofs/$number.tlog-proof
  [ -f "$proof" ] || wrong "$record has no proof"
  {
    read -r version
    read -r word at
    [ "$version" = c2sp.org/tlog-proof@v1 ] && [ "$word" = index ] && is_number "$at" || wrong "$proof is no proof"
    [ "$record" = "data/records/$(printf %010d "$at").json" ] || wrong "the proof of $record is of another place"
    [ "$at" -lt "$size" ] || wrong "$record lies beyond the $size entries that were signed"
    hash=$({ printf '\000'; cat "$record"; } | hashed)
    last=$((size - 1))
    while read -r beside && [ -n "$beside" ]; do
      beside=$(printf %s "$beside" | base64 -d | hex)
      is_hash "$beside" || wrong "$proof holds what is no hash"
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
  } < "$proof"
  [ "$last" = 0 ] && [ "$hash" = "$root" ] || wrong "$record is not in the record that was signed"
  [ "$(hashed < "$work/note")" = "$(hashed < data/checkpoint)" ] || wrong "the proof of $record is for another checkpoint"
  records=$((records + 1))
  at=$number
  while [ "${at#0}" != "$at" ] && [ "$at" != 0 ]; do at=${at#0}; done
  # Entries have sorted keys and no spaces, and a quote within a text has a backslash before it: only a field reads so.
  body=$(cat "$record")
  case $body in
    *'"act":"'*)
      act=${body#*'"act":"'}
      act=${act%%\"*}
      [ "$act" = "$activation" ] || wrong "$record is an entry of $act, and the bundle is of $activation"
      ;;
  esac
  aseq=
  case $body in
    *'"aseq":'*)
      aseq=${body#*'"aseq":'}
      aseq=${aseq%%[!0-9]*}
      is_number "$aseq" || wrong "$record has a number that does not read"
      case $seen in *" $aseq "*) wrong "entry $aseq of the activation is there twice, or is named as withheld" ;; esac
      seen="$seen$aseq "
      total=$((total + 1))
      [ "$at" -le "$last_own" ] || last_own=$at
      ;;
  esac
  case $body in
    *'"count":'*'"type":"activation.closed"'*)
      count=${body#*'"count":'}
      count=${count%%[!0-9]*}
      is_number "$aseq" && is_number "$count" && [ "$count" = $((aseq + 1)) ] ||
        wrong "$record says that it closes $count entries, and it is entry $aseq, counted from 0"
      if [ "$aseq" -ge "$ended" ]; then
        ended=$aseq
        closed=yes
        closed_at=${body%%',"type":"activation.closed"'*}
        closed_at=${closed_at##*'"t":"'}
        closed_at=${closed_at%%\"*}
        case $closed_at in '' | *[!0-9:.TZ-]*) wrong "$record says a time that does not read" ;; esac
      fi
      [ "$at" -le "$ended_at" ] || ended_at=$at
      ;;
    *'"type":"activation.reopened"'*)
      is_number "$aseq" || wrong "$record has no number"
      [ "$aseq" -lt "$ended" ] || { ended=$aseq closed=no; }
      ;;
  esac
  rest=$body
  while :; do
    case $rest in *'{"sd":"'*) ;; *) break ;; esac
    rest=${rest#*'{"sd":"'}
    digest=${rest%%\"*}
    is_hash "$digest" || wrong "$record commits to what is no hash"
    committed="$committed$digest "
    [ ! -f "data/disclosures/$digest.json" ] || continue
    case $named in *" $digest "*) ;; *) wrong "$record commits to the value $digest, which is neither there nor named as withheld" ;; esac
  done
done
[ "$records" != 0 ] || wrong "no entry is in it: it proves nothing"

# Every private value is one that an entry committed to.
values=0
for value in data/disclosures/*; do
  [ -e "$value" ] || continue
  digest=$(hashed < "$value")
  [ "data/disclosures/$digest.json" = "$value" ] || wrong "$value was altered"
  case $committed in *" $digest "*) ;; *) wrong "no entry committed to $value" ;; esac
  values=$((values + 1))
done

# No entry of the activation is missing without being named as withheld.
number=0
while [ "$number" -lt "$total" ]; do
  case $seen in *" $number "*) ;; *) wrong "entry $number of the activation is missing and not named as withheld" ;; esac
  number=$((number + 1))
done

# Who outside was given a checkpoint or asked to stamp one, as entries of the record say, and whether one that somebody keeps,
# or whose stamp was verified, covers it up to its closing.
through=$last_own
[ "$closed" = no ] || through=$ended_at
anchored=no
outside=
kept=$line_end
if [ -f data/anchors.csv ]; then
  {
    read -r heading
    [ "$heading" = anchor,entry,recorded_at,size,root,receipt,origin ] || wrong "data/anchors.csv does not begin as it should"
    while IFS=, read -r anchor entry when older was receipt under; do
      is_number "$older" && [ "$older" != 0 ] && [ "$older" -le "$size" ] || wrong "a line of data/anchors.csv does not read"
      hex=$(printf %s "$was" | base64 -d | hex)
      is_hash "$hex" || wrong "a line of data/anchors.csv does not read"
      begins_with "$older" "$hex"
      # The entry says so; one that is withheld says nothing, and then the list may not say whose it was. Whoever passed this on
      # may have written such a line, so that it proves nothing.
      is_number "$entry" || wrong "a line of data/anchors.csv does not read"
      record=data/records/$(printf %010d "$entry").json
      said=no
      if [ -f "$record" ]; then
        words=$(cat "$record")
        case $words in
          *'"anchor":"'"$anchor"'",'*'"origin":"'"$under"'",'*'"root":"'"$hex"'","size":'"$older"',"t":"'"$when"'",'*'"type":"checkpoint.anchored",'*) said=yes ;;
        esac
        case $words in *'"receipt":"'"$receipt"'",'* | *'"receipt":{"'"$receipt"'":{'*) ;; *) said=no ;; esac
      else
        case $left in *" $entry "*) [ "$anchor" != "(withheld)" ] || said=yes ;; esac
      fi
      [ "$said" = yes ] || wrong "entry $entry does not say what a line of data/anchors.csv says: that the checkpoint of $older entries went to $anchor, and how that is known ($receipt)"
      note=data/anchors/$(printf %010d "$older").checkpoint
      if [ -f "$note" ]; then
        [ "$(head -n 3 "$note")" = "$(printf '%s\n%s\n%s' "$under" "$older" "$was")" ] || wrong "$note is another than data/anchors.csv says"
        is_signed "$note" || wrong "this key did not sign $note"
      fi
      stamp=data/anchors/$(printf %010d "$older").$(printf %010d "$entry").tsr
      counts=no
      if [ "$receipt" = rfc3161 ]; then
        # An authority keeps nothing that could be asked for.
        went="was asked to stamp the first $older entries of $under, recorded at $when"
        if [ -f "$stamp" ]; then
          is_stamped "$stamp" "$note" "$record" "$entry" "$anchor"
        else
          unverified=yes
          stamps="${stamps}NOT CHECKED  entry $entry has a time stamp that is not in this bundle$line_end"
        fi
      else
        [ ! -f "$stamp" ] || wrong "$stamp is another time stamp than entry $entry has"
        [ "$anchor" = "(withheld)" ] || counts=yes
        went="was given the first $older entries of $under, recorded at $when"
        [ "$anchor" = "(withheld)" ] || went="$went: ask for theirs"
      fi
      [ "$counts" = no ] || [ "$older" -le "$through" ] || anchored=yes
      if [ "$anchor" = "(withheld)" ]; then
        outside="${outside}a list says, and nothing in this bundle shows, that somebody $went; its root is $was$line_end"
      else
        outside="${outside}the record says that $anchor $went; its root is $was$line_end"
      fi
      kept=$kept${note%.checkpoint}.consistency$line_end$note$line_end$stamp$line_end
    done
  } < data/anchors.csv
fi
for file in data/anchors/* data/anchors/.[!.]* data/anchors/..?*; do
  [ -e "$file" ] || continue
  case $kept in *"$line_end$file$line_end"*) ;; *) wrong "no line of data/anchors.csv names $file" ;; esac
done
if [ -n "$authority" ] && [ "$verified" = no ]; then
  unverified=yes
  stamps="${stamps}NOT VERIFIED  certificates were given, and no time stamp was verified with them$line_end"
fi

say "activation $activation: the first $size entries of $origin were signed, with root $root"
say "compare that with a checkpoint that was kept outside: the same size must have the same root"
printf %s "$outside" | clean
printf %s "$stamps" | clean
[ "$anchored" = yes ] ||
  say "NOT ANCHORED  nobody outside is named who was given a checkpoint that covers all of it up to its closing, and no time stamp was verified that does"
say "$records entries are in it; $values private values belong to them; $withheld entries and values are named as withheld"
[ "$closed" = yes ] ||
  say "NOT COMPLETE  none of its entries closes the activation, or it was opened again: later entries may exist that are not in it"
if [ "$given" = no ]; then
  say "NOT PROVEN  the key was taken from the bundle itself, and whoever forged the bundle could have put it there"
  say "compare it with the one on paper: $key"
fi
[ -z "$authority" ] || [ "$unverified" = no ] || exit 3
[ "$given" = yes ] || exit 2
