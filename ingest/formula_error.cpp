#include "ingest/formula_error.h"

#include <algorithm>
#include <iterator>

namespace dl {
namespace {

// Of Excel in the languages that most sheets come from, and of Google Sheets.
constexpr std::string_view kErrors[] = {
    "#N/A",
    "#VALUE!",
    "#NAME?",
    "#REF!",
    "#DIV/0!",
    "#NULL!",
    "#NUM!",
    "#CALC!",
    "#SPILL!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#BUSY!",
    "#ERROR!",
    "#UNKNOWN!",
    "#EXTERNAL!",
    "#PYTHON!",
    "#GETTING_DATA",
    // German
    "#NV",
    "#WERT!",
    "#BEZUG!",
    "#ZAHL!",
    "#KALK!",
    // French
    "#VALEUR!",
    "#NOM?",
    "#NOMBRE!",
    "#NUL!",
    "#CALCUL!",
    // Italian
    "#VALORE!",
    "#NOME?",
    "#RIF!",
    "#NULLO!",
    // Portuguese
    "#VALOR!",
    "#NULO!",
    // Dutch
    "#WAARDE!",
    "#NAAM?",
    "#VERW!",
    "#GETAL!",
    "#LEEG!",
    "#DEEL/0!",
    "#N/B",
    // Polish
    "#ARG!",
    "#NAZWA?",
    "#ADR!",
    "#LICZBA!",
    "#ZERO!",
    // Spanish
    "#¡VALOR!",
    "#¿NOMBRE?",
    "#¡REF!",
    "#¡DIV/0!",
    "#¡NUM!",
    "#¡NULO!",
    // Russian
    "#ЗНАЧ!",
    "#ИМЯ?",
    "#ССЫЛКА!",
    "#ДЕЛ/0!",
    "#ЧИСЛО!",
    "#ПУСТО!",
    "#Н/Д",
};

constexpr std::string_view kNotYetComputed = "Loading...";  // of Google Sheets

bool may_be_in_error(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Of LibreOffice.
bool is_numbered_error(std::string_view cell) {
  constexpr std::string_view kBegin = "Err:";
  if (!cell.starts_with(kBegin) || cell.size() == kBegin.size()) return false;
  return cell.find_first_not_of("0123456789", kBegin.size()) == std::string_view::npos;
}

}  // namespace

bool is_overflow(std::string_view cell) {
  return cell.size() >= 2 && cell.front() == '#' &&
         cell.find_first_not_of('#') == std::string_view::npos;
}

bool is_known_formula_error(std::string_view cell) {
  if (!cell.starts_with('#')) return is_numbered_error(cell) || cell == kNotYetComputed;
  return std::find(std::begin(kErrors), std::end(kErrors), cell) != std::end(kErrors);
}

bool is_formula_error(std::string_view cell) {
  if (cell.size() > 2 && cell.front() == '#' && (cell.back() == '!' || cell.back() == '?')) {
    const std::string_view word = cell.substr(1, cell.size() - 2);
    if (std::all_of(word.begin(), word.end(), may_be_in_error)) return true;
  }
  return is_known_formula_error(cell);
}

}  // namespace dl
