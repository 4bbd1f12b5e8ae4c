using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests.Operators;

/// <summary>Each operator whose row says that its cost depends on something is run, and takes fuel in proportion.</summary>
public sealed class OperatorCostTests
{
    private const int Many = 800;

    private static readonly Engine Counting = new(Tiers.Compiled with { CountFuel = true }), Interpreting = new(Tiers.Interpreted with { CountFuel = true });

    /// <summary>Fields of a module whose function f runs the operator once, for a size.</summary>
    private static readonly Dictionary<string, Func<int, string>> Programs = new()
    {
        // Values: besides the operator each value is an instruction that makes it, and mostly one that drops it.
        ["br"] = n => F($"(block (result{I32(n)}) {Push(n)} (br 0)) {Drop(n)}"),
        ["br_if"] = n => F($"(block (result{I32(n)}) {Push(n)} (br_if 0 (i32.const 1))) {Drop(n)}"),
        ["br_table"] = n => F($"(block (result{I32(n)}) {Push(n)} (br_table 0 0 (i32.const 0))) {Drop(n)}"),
        ["br_on_null"] = n => F($"(block (result{I32(n)}) {Push(n)} (drop (br_on_null 0 (ref.null any)))) {Drop(n)}"),
        ["br_on_non_null"] = n => F($"(block (result{I32(n)} (ref i31)) {Push(n)} (br_on_non_null 0 (ref.i31 (i32.const 0))) (unreachable)) (drop) {Drop(n)}"),
        ["br_on_cast"] = n => F($"(block (result{I32(n)} (ref i31)) {Push(n)} (br_on_cast 0 anyref (ref i31) (ref.i31 (i32.const 0))) (unreachable)) (drop) {Drop(n)}"),
        ["br_on_cast_fail"] = n => F($"(block (result{I32(n)} anyref) {Push(n)} (br_on_cast_fail 0 anyref (ref i31) (ref.null any)) (unreachable)) (drop) {Drop(n)}"),
        ["end"] = n => F($"(block (result{I32(n)}) {Push(n)}) {Drop(n)}"),
        ["else"] = n => F($"(if (result{I32(n)}) (i32.const 1) (then {Push(n)}) (else (unreachable))) {Drop(n)}"),
        ["return"] = n => $"(func (export \"f\") (call $g) {Drop(n)}) (func $g (result{I32(n)}) {Push(n)} (return))",
        ["call"] = n => $"(func $g (param{I32(n)})) {F($"{Push(n)} (call $g)")}",
        ["return_call"] = n => $"(func $g (param{I32(n)})) {F($"{Push(n)} (return_call $g)")}",
        ["call_ref"] = n => $"(type $t (func (param{I32(n)}))) (elem declare func $g) (func $g (type $t)) {F($"{Push(n)} (call_ref $t (ref.func $g))")}",
        ["return_call_ref"] = n => $"(type $t (func (param{I32(n)}))) (elem declare func $g) (func $g (type $t)) {F($"{Push(n)} (return_call_ref $t (ref.func $g))")}",
        ["call_indirect"] = n => $"(type $t (func (param{I32(n)}))) (table funcref (elem $g)) (func $g (type $t)) {F($"{Push(n)} (call_indirect (type $t) (i32.const 0))")}",
        ["return_call_indirect"] = n => $"(type $t (func (param{I32(n)}))) (table funcref (elem $g)) (func $g (type $t)) {F($"{Push(n)} (return_call_indirect (type $t) (i32.const 0))")}",
        ["call_indirect_ref"] = n => $"(type $x (table 1 funcref)) (type $t (func (param{I32(n)}))) (table 1 funcref) (elem (i32.const 0) $g) (func $g (type $t)) {F($"{Push(n)} (ref.table 0) (i32.const 0) (call_indirect (ref $x) (type $t))")}",
        ["call_export"] = n => $"(module $m (func (export \"g\") (param{I32(n)}))) {F($"{Push(n)} (call_export $m \"g\" (instantiate (module $m)))")}",
        ["return_call_export"] = n => $"(module $m (func (export \"g\") (param{I32(n)}))) {F($"{Push(n)} (return_call_export $m \"g\" (instantiate (module $m)))")}",
        ["throw"] = n => $"(tag $t (param{I32(n)})) {F($"(block (try_table (catch_all 0) {Push(n)} (throw $t)))")}",
        ["catch"] = n => $"(tag $t (param{I32(n)})) {F($"(try (do {Push(n)} (throw $t)) (catch $t {Drop(n)}))")}",
        ["delegate"] = n => F($"(try (result{I32(n)}) (do {Push(n)}) (delegate 0)) {Drop(n)}"),
        // What a type or the code says.
        ["struct.new"] = n => $"(type $s (struct (field{I32(n)}))) {F($"{Push(n)} (drop (struct.new $s))")}",
        ["struct.new_default"] = n => $"(type $s (struct (field{I32(n)}))) {F("(drop (struct.new_default $s))")}",
        ["get_export"] = n => $"(module $m (func (export \"{Name(n)}\"))) (instance $i (instantiate $m)) (type $t (func)) (type $I (instance (export \"{Name(n)}\" (func (type $t))))) {F($"(drop (get_export $I \"{Name(n)}\" (ref.instance $i)))")}",
        ["memory.new"] = n => $"(type $m (memory {n})) {F("(drop (memory.new $m))")}",
        ["table.new"] = n => $"(type $t (table {n} funcref)) {F("(drop (table.new $t (ref.null func)))")}",
        ["instantiate"] = n => $"(type $M (module)) (module $m (table {n} funcref)) {F("(drop (instantiate $M (ref.module $m)))")}",
        ["instantiate_null"] = n => $"(type $M (module)) (module $m (table {n} funcref)) {F("(drop (instantiate null $M (ref.module $m)))")}",
        ["instantiate_module"] = n => $"(module $m (table {n} funcref)) {F("(drop (instantiate (module $m)))")}",
        // What an operand says.
        ["memory.fill"] = n => $"(memory 1) {F($"(memory.fill (i32.const 0) (i32.const 1) (i32.const {n}))")}",
        ["memory.copy"] = n => $"(memory 1) {F($"(memory.copy (i32.const 0) (i32.const 1) (i32.const {n}))")}",
        ["memory.init"] = n => $"(memory 1) (data $d \"{Name(Many)}\") {F($"(memory.init $d (i32.const 0) (i32.const 0) (i32.const {n}))")}",
        ["memory.grow"] = n => $"(memory 0) {F($"(drop (memory.grow (i32.const {n})))")}",
        ["memory.fill_ref"] = n => $"(type $m (memory 1)) (memory 1) {F($"(memory.fill (ref $m) (ref.memory 0) (i32.const 0) (i32.const 1) (i32.const {n}))")}",
        ["memory.copy_ref"] = n => $"(type $m (memory 1)) (memory 1) {F($"(memory.copy (ref $m) (ref $m) (ref.memory 0) (i32.const 0) (ref.memory 0) (i32.const 1) (i32.const {n}))")}",
        ["memory.init_ref"] = n => $"(type $m (memory 1)) (memory 1) (data $d \"{Name(Many)}\") {F($"(memory.init (ref $m) $d (ref.memory 0) (i32.const 0) (i32.const 0) (i32.const {n}))")}",
        ["memory.grow_ref"] = n => $"(type $m (memory 0)) (memory 0) {F($"(drop (memory.grow (ref $m) (ref.memory 0) (i32.const {n})))")}",
        ["slice.fill"] = n => $"(memory 1) {F($"(slice.fill (slice.new (i32.const 0) (i32.const 65536)) (i64.const 0) (i32.const 1) (i64.const {n}))")}",
        ["slice.copy"] = n => $"(memory 1) {F($"(slice.copy (slice.new (i32.const 0) (i32.const 65536)) (i64.const 0) (slice.new (i32.const 0) (i32.const 65536)) (i64.const 0) (i64.const {n}))")}",
        ["table.fill"] = n => $"(table 1000 funcref) {F($"(table.fill (i32.const 0) (ref.null func) (i32.const {n}))")}",
        ["table.copy"] = n => $"(table 1000 funcref) {F($"(table.copy (i32.const 0) (i32.const 1) (i32.const {n}))")}",
        ["table.init"] = n => $"(table 1000 funcref) (func $g) (elem $e func {Times(Many, "$g")}) {F($"(table.init $e (i32.const 0) (i32.const 0) (i32.const {n}))")}",
        ["table.grow"] = n => $"(table 0 funcref) {F($"(drop (table.grow (ref.null func) (i32.const {n})))")}",
        ["table.fill_ref"] = n => $"(type $t (table 1000 funcref)) (table 1000 funcref) {F($"(table.fill (ref $t) (ref.table 0) (i32.const 0) (ref.null func) (i32.const {n}))")}",
        ["table.copy_ref"] = n => $"(type $t (table 1000 funcref)) (table 1000 funcref) {F($"(table.copy (ref $t) (ref $t) (ref.table 0) (i32.const 0) (ref.table 0) (i32.const 1) (i32.const {n}))")}",
        ["table.init_ref"] = n => $"(type $t (table 1000 funcref)) (table 1000 funcref) (func $g) (elem $e func {Times(Many, "$g")}) {F($"(table.init (ref $t) $e (ref.table 0) (i32.const 0) (i32.const 0) (i32.const {n}))")}",
        ["table.grow_ref"] = n => $"(type $t (table 0 funcref)) (table 0 funcref) {F($"(drop (table.grow (ref $t) (ref.table 0) (ref.null func) (i32.const {n})))")}",
        ["array.new"] = n => $"(type $a (array i64)) {F($"(drop (array.new $a (i64.const 1) (i32.const {n})))")}",
        ["array.new_default"] = n => $"(type $a (array i64)) {F($"(drop (array.new_default $a (i32.const {n})))")}",
        ["array.new_data"] = n => $"(type $a (array i8)) (data $d \"{Name(Many)}\") {F($"(drop (array.new_data $a $d (i32.const 0) (i32.const {n})))")}",
        ["array.new_elem"] = n => $"(type $a (array funcref)) (func $g) (elem $e func {Times(Many, "$g")}) {F($"(drop (array.new_elem $a $e (i32.const 0) (i32.const {n})))")}",
        ["array.fill"] = n => $"(type $a (array (mut i64))) {F($"(array.fill $a (array.new_default $a (i32.const 1000)) (i32.const 0) (i64.const 1) (i32.const {n}))")}",
        ["array.copy"] = n => $"(type $a (array (mut i64))) {F($"(array.copy $a $a (array.new_default $a (i32.const 1000)) (i32.const 0) (array.new_default $a (i32.const 1000)) (i32.const 0) (i32.const {n}))")}",
        ["array.init_data"] = n => $"(type $a (array (mut i8))) (data $d \"{Name(Many)}\") {F($"(array.init_data $a $d (array.new_default $a (i32.const 1000)) (i32.const 0) (i32.const 0) (i32.const {n}))")}",
        ["array.init_elem"] = n => $"(type $a (array (mut funcref))) (func $g) (elem $e func {Times(Many, "$g")}) {F($"(array.init_elem $a $e (array.new_default $a (i32.const 1000)) (i32.const 0) (i32.const 0) (i32.const {n}))")}",
        ["get_export_null"] = n => $"(module $m) (instance $i (instantiate $m)) (type $g (global i32)) (memory 1) {F($"(drop (get_export null $g (ref.instance $i) (i32.const 0) (i32.const {n})))")}",
        ["func.new"] = n => MakingFunction(n, "(drop (func.new $f $s (i32.const 0) (i32.const {0})))"),
        ["func.new_null"] = n => MakingFunction(n, "(drop (func.new null $f $s (i32.const 0) (i32.const {0})))"),
        ["func.new_named"] = n => MakingFunction(n, "(drop (func.new_named $f $s (i32.const 0) (i32.const 5) (i32.const 0) (i32.const {0})))"),
        ["func.new_named_null"] = n => MakingFunction(n, "(drop (func.new_named null $f $s (i32.const 0) (i32.const 5) (i32.const 0) (i32.const {0})))"),
        ["compile"] = n => Compiling(n, "(drop (compile $T (i32.const 0) (i32.const {0})))"),
        ["compile_null"] = n => Compiling(n, "(drop (compile null $T (i32.const 0) (i32.const {0})))"),
    };

    private static IEnumerable<Operator> Costing => OperatorTable.All.Where(op => op.Cost.Unit != CostUnit.Constant);

    public static TheoryData<string> CostingOperators => [.. Costing.Select(op => op.Mnemonic)];

    [Fact]
    public void CostsBelongToOperatorsThatDoNotSaySoByTheirEmission()
    {
        foreach (Operator op in OperatorTable.All)
        {
            // A fixed sequence of instructions, or a method of numbers alone.
            if (op.Emission != "custom") Assert.Equal(new OperatorCost(CostUnit.Constant, 1), op.Cost);
            Assert.True(op.Cost.Units > 0 || op.Id is OpId.Nop or OpId.End or OpId.Else, op.Mnemonic);
        }
    }

    /// <summary>An operator with a constant price costs a unit. The others are here: what makes or drops an object costs more.</summary>
    [Fact]
    public void ConstantPricesAreAUnit() => Assert.Equal(
        [("func.drop", 16), ("func.optimize", 16), ("global.new", 16), ("module.drop", 16), ("nop", 0)],
        OperatorTable.All.Where(op => op.Cost.Unit == CostUnit.Constant && op.Cost.Units != 1).Select(op => (op.Mnemonic, op.Cost.Units)).Order());

    /// <summary>What an operator costs besides its operands is a unit. The others are here: the ends of blocks do nothing themselves.</summary>
    [Fact]
    public void PricesBesideOperandsAreAUnit() => Assert.Equal(
        [("else", 0), ("end", 0), ("table.new", 64)],
        OperatorTable.All.Where(op => op.Cost.Unit != CostUnit.Constant && op.Cost.Units != 1).Select(op => (op.Mnemonic, op.Cost.Units)).Order());

    /// <summary>An operator that has a program here does not cost the same each time.</summary>
    [Fact]
    public void ProgramsAreForOperatorsWhoseCostDepends() => Assert.Equal([], Programs.Keys.Except(Costing.Select(op => op.Mnemonic)));

    /// <summary>Operators that take a length last, or a label, cannot be constant: the names say which they are.</summary>
    [Fact]
    public void NamesOfOperatorsThatWorkOnManyThingsHaveACost() => Assert.All(
        OperatorTable.All.Where(op => op.Mnemonic.Split('.', '_').Any(word => word is "fill" or "copy" or "init" or "grow" or "compile" or "instantiate")),
        op => Assert.NotEqual(CostUnit.Constant, op.Cost.Unit));

    [Theory]
    [MemberData(nameof(CostingOperators))]
    public void FuelIsInProportion(string mnemonic)
    {
        Operator op = OperatorTable.Find(mnemonic)!;
        // One with a descriptor is made as one without; the label's values are those of a cast.
        if (!Programs.TryGetValue(mnemonic, out Func<int, string>? program))
        {
            Assert.Contains("desc", mnemonic);
            return;
        }
        long none = Used(program(0)), half = Used(program(Many / 2)), all = Used(program(Many));
        Assert.InRange(all - half, half - none - 1, half - none + 1);
        long perItem = (all - none) * 8 / Many;
        long expected = op.Cost.Unit switch
        {
            // An eighth for the value that moves; half the operators are given values by instructions and have them dropped.
            CostUnit.Values => perItem is >= 9 and <= 20 ? perItem : -1,
            CostUnit.Fields => mnemonic == "struct.new" ? 16 : 8,
            CostUnit.Name or CostUnit.Bytes => 1,
            CostUnit.Items => 8,
            CostUnit.Code => 8 * 64,
            CostUnit.Pages => 8 * 1024,
            CostUnit.Entity => mnemonic == "memory.new" ? 8 * 1024 : 8,
            _ => 2,
        };
        Assert.Equal(expected, perItem);
    }

    /// <summary>What a program takes, the same in both tiers.</summary>
    private static long Used(string fields)
    {
        byte[] module = Wat.ToBinary($"(module {fields})");
        long used = Used(Counting, module);
        Assert.Equal(used, Used(Interpreting, module));
        return used;
    }

    private static long Used(Engine engine, byte[] module)
    {
        const long given = 1_000_000_000;
        Instance instance = engine.Compile(module).Instantiate(fuel: new Fuel(given));
        long before = instance.Fuel!.Remaining;
        instance.GetExport<Action>("f")();
        return before - instance.Fuel.Remaining;
    }

    private static string F(string body) => $"(func (export \"f\") {body})";

    private static string Times(int n, string text) => string.Join(' ', Enumerable.Repeat(text, n));

    private static string I32(int n) => string.Concat(Enumerable.Repeat(" i32", n));

    private static string Push(int n) => Times(n, "(i32.const 0)");

    private static string Drop(int n) => Times(n, "(drop)");

    private static string Name(int n) => new('x', n);

    /// <summary>A body of operators that do nothing.</summary>
    private static string MakingFunction(int n, string make)
    {
        string body = $"\\00{Times(n, "\\01").Replace(" ", "", StringComparison.Ordinal)}\\0b";
        return $"(type $f (func)) (scope $s) (memory 1) (data (i32.const 0) \"{body}\") {F(string.Format(make, n + 2))}";
    }

    /// <summary>A module with a custom section that brings it to a length.</summary>
    private static string Compiling(int n, string compile)
    {
        // The section's length takes two bytes for each size.
        byte[] bytes = Wat.ToBinary($"(module (@custom \"\" \"{Name(n + 200)}\"))");
        string data = string.Concat(bytes.Select(b => $"\\{b:x2}"));
        return $"(type $T (module)) (memory 1) (data (i32.const 0) \"{data}\") {F(string.Format(compile, bytes.Length))}";
    }
}
