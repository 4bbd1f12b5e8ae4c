using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests.Generators;

/// <summary>C# of WIT files: what is written for a bank (Modules/bank.wit), and a component that is used through it.</summary>
public sealed class WitTests
{
    private static string Bank => File.ReadAllText(Golden.InRepository("Tests/Generators/Modules/bank.wit"));

    private static Compiled Compile(params string[] files) =>
        Compiled.Of("", [.. files.Select((text, i) => new Compiled.File($"/wit/file{i}.wit", "wit", text))]);

    [Fact]
    public void AWorldWithEverything()
    {
        Compiled compiled = Compile(Bank);
        Assert.Empty(compiled.Problems);
        Assert.Empty(compiled.Errors);
        Golden.Equal("bank.txt", compiled.Sources.Single().Value);
    }

    private sealed class Clock : IClock
    {
        public uint Year() => 2026;
    }

    private sealed class Log : IBank.IImports
    {
        internal List<string> Lines { get; } = [];

        void IBank.IImports.Log(string text) => Lines.Add(text);
    }

    /// <summary>Core functions that hand back what they get, for the types of the interface.</summary>
    private const string Component = """
        (component
          (import "test:bank/clock@1.0.0" (instance $clock (export "year" (func (result u32)))))
          (import "log" (func $log (param "text" string)))
          (core module $Libc
            (memory (export "mem") 1)
            (global $next (mut i32) (i32.const 4096))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
              (global.get $next)
              (global.set $next (i32.add (global.get $next) (i32.and (i32.add (local.get 3) (i32.const 15)) (i32.const -8))))))
          (core instance $libc (instantiate $Libc))
          (core func $year (canon lower (func $clock "year")))
          (core func $log (canon lower (func $log) (memory (core memory $libc "mem"))))
          (type $account' (resource (rep i32)))
          (core func $new (canon resource.new $account'))
          (core module $Main
            (import "" "mem" (memory 1))
            (import "" "year" (func $year (result i32)))
            (import "" "log" (func $log (param i32 i32)))
            (import "" "new" (func $new (param i32) (result i32)))
            (global $next (mut i32) (i32.const 512))
            (data (i32.const 16) "year?")
            (func (export "this-year") (result i32) (call $log (i32.const 16) (i32.const 5)) (call $year))
            (func (export "account") (param $owner i32) (param $n i32) (param $money i64) (result i32) (local $rep i32)
              (local.set $rep (global.get $next))
              (global.set $next (i32.add (global.get $next) (i32.const 16)))
              (i32.store (local.get $rep) (local.get $owner)) (i32.store offset=4 (local.get $rep) (local.get $n)) (i64.store offset=8 (local.get $rep) (local.get $money))
              (call $new (local.get $rep)))
            (func (export "balance") (param $self i32) (result i64) (i64.load offset=8 (local.get $self)))
            (func (export "take") (param $self i32) (param $amount i64) (result i32)
              (if (i64.gt_u (local.get $amount) (i64.load offset=8 (local.get $self)))
                (then
                  (i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 offset=8 (i32.const 64) (i32.const 0))
                  (i64.store offset=16 (i32.const 64) (i64.load offset=8 (local.get $self))))
                (else
                  (i64.store offset=8 (local.get $self) (i64.sub (i64.load offset=8 (local.get $self)) (local.get $amount)))
                  (i32.store8 (i32.const 64) (i32.const 0)) (i64.store offset=8 (i32.const 64) (i64.load offset=8 (local.get $self)))))
              (i32.const 64))
            (func (export "describe") (param $self i32) (result i32)
              (memory.copy (i32.const 128) (local.get $self) (i32.const 16))
              (i32.store8 (i32.const 144) (i32.const 1))
              (i32.store8 (i32.const 148) (i32.const 0))
              (i32.const 128))
            (func (export "join") (param i32 i32) (result i32) (local.get 0))
            (func (export "allowed") (param i32) (result i32) (i32.xor (local.get 0) (i32.const 7)))
            (func (export "pair") (param $a i32) (param $p i32) (param $n i32) (result i32)
              (i32.store (i32.const 256) (local.get $p)) (i32.store (i32.const 260) (local.get $n)) (i32.store8 (i32.const 264) (local.get $a))
              (i32.const 256)))
          (core instance $main (instantiate $Main (with "" (instance
            (export "mem" (memory $libc "mem")) (export "year" (func $year)) (export "log" (func $log)) (export "new" (func $new))))))
          (func (export "this-year") (result u32) (canon lift (core func $main "this-year")))
          (type $currency' (enum "euro" "dollar"))
          (type $permission' (flags "read" "deposit" "take-out"))
          (type $record' (record (field "owner" string) (field "money" u64) (field "in" $currency') (field "note" (option string))))
          (type $problem' (variant (case "not-enough" u64) (case "closed") (case "other" string)))
          (func $make (param "owner" string) (param "money" u64) (result (own $account')) (canon lift (core func $main "account") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
          (func $balance (param "self" (borrow $account')) (result u64) (canon lift (core func $main "balance")))
          (func $take (param "self" (borrow $account')) (param "amount" u64) (result (result u64 (error $problem'))) (canon lift (core func $main "take") (memory (core memory $libc "mem"))))
          (func $describe (param "self" (borrow $account')) (result $record') (canon lift (core func $main "describe") (memory (core memory $libc "mem"))))
          (func $allowed (param "to" $permission') (result $permission') (canon lift (core func $main "allowed")))
          (func $pair (param "a" (tuple u8 string)) (result (tuple string u8)) (canon lift (core func $main "pair") (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
          (func $join (param "a" (own $account')) (param "b" (borrow $account')) (result (own $account')) (canon lift (core func $main "join")))
          (component $Export
            (import "import-account" (type $account (sub resource)))
            (type $c (enum "euro" "dollar"))
            (import "import-currency" (type $currency (eq $c)))
            (type $p (flags "read" "deposit" "take-out"))
            (import "import-permission" (type $permission (eq $p)))
            (type $r (record (field "owner" string) (field "money" u64) (field "in" $currency) (field "note" (option string))))
            (import "import-record" (type $record (eq $r)))
            (type $v (variant (case "not-enough" u64) (case "closed") (case "other" string)))
            (import "import-problem" (type $problem (eq $v)))
            (import "make" (func $make (param "owner" string) (param "money" u64) (result (own $account))))
            (import "balance" (func $balance (param "self" (borrow $account)) (result u64)))
            (import "take" (func $take (param "self" (borrow $account)) (param "amount" u64) (result (result u64 (error $problem)))))
            (import "describe" (func $describe (param "self" (borrow $account)) (result $record)))
            (import "join" (func $join (param "a" (own $account)) (param "b" (borrow $account)) (result (own $account))))
            (import "allowed" (func $allowed (param "to" $permission) (result $permission)))
            (import "pair" (func $pair (param "a" (tuple u8 string)) (result (tuple string u8))))
            (export $account2 "account" (type $account))
            (export $currency2 "currency" (type $currency))
            (export $permission2 "permission" (type $permission))
            (type $r2 (record (field "owner" string) (field "money" u64) (field "in" $currency2) (field "note" (option string))))
            (export $record2 "record" (type $r2))
            (export $problem2 "problem" (type $problem))
            (export "[constructor]account" (func $make) (func (param "owner" string) (param "money" u64) (result (own $account2))))
            (export "[method]account.balance" (func $balance) (func (param "self" (borrow $account2)) (result u64)))
            (export "[method]account.take" (func $take) (func (param "self" (borrow $account2)) (param "amount" u64) (result (result u64 (error $problem2)))))
            (export "[method]account.describe" (func $describe) (func (param "self" (borrow $account2)) (result $record2)))
            (export "[static]account.join" (func $join) (func (param "a" (own $account2)) (param "b" (borrow $account2)) (result (own $account2))))
            (export "allowed" (func $allowed) (func (param "to" $permission2) (result $permission2)))
            (export "pair" (func $pair)))
          (instance $accounts (instantiate $Export
            (with "import-account" (type $account')) (with "import-currency" (type $currency')) (with "import-permission" (type $permission'))
            (with "import-record" (type $record')) (with "import-problem" (type $problem')) (with "make" (func $make)) (with "balance" (func $balance))
            (with "take" (func $take)) (with "describe" (func $describe)) (with "join" (func $join)) (with "allowed" (func $allowed)) (with "pair" (func $pair))))
          (export "test:bank/accounts@1.0.0" (instance $accounts)))
        """;

    [Fact]
    public void AComponentIsUsedThroughIt()
    {
        var log = new Log();
        using IBank bank = new Engine().CompileComponent(Wat.ToBinary(Component)).Instantiate<IBank>(new ComponentHost().AddBank(log, new Clock()));
        Assert.Equal(2026u, bank.ThisYear());
        Assert.Equal(["year?"], log.Lines);
        using (IAccounts.IAccount account = bank.Accounts.NewAccount("Ada", 30))
        {
            Assert.Equal((30ul, 20ul), (account.Balance(), account.Take(10)));
            ComponentErrorException error = Assert.Throws<ComponentErrorException>(() => account.Take(40));
            Assert.Equal("The function returned an error: not-enough(20)", error.Message);
            Assert.Equal(new IAccounts.Record("Ada", 20, IAccounts.Currency.Dollar, null), account.Describe());
        }
        Assert.Equal(IAccounts.Permission.Deposit, bank.Accounts.Allowed(IAccounts.Permission.Read | IAccounts.Permission.TakeOut));
        Assert.Equal(("three", (byte)3), bank.Accounts.Pair((3, "three")));
        IAccounts.IAccount other = bank.Accounts.NewAccount("Bob", 5);
        using IAccounts.IAccount both = bank.Accounts.AccountJoin(other, bank.Accounts.NewAccount("Eve", 1));
        Assert.Equal(5ul, both.Balance());
    }

    [Fact]
    public void NamesOfOtherFilesAndAllTypes()
    {
        Compiled compiled = Compile("""
            package demo:shapes@0.1.0;
            interface types {
              record point { x: f32, y: f32 }
              type id = s64;
              resource shape;
              variant error { error(string), none }
              record clash { clash: u8, to-string: bool, equals: char }
            }
            """, """
            package demo:app;
            /* A comment /* in a comment */ */
            use demo:shapes/types@0.1.0 as shapes;
            @since(version = 0.2.0)
            interface user {
              use demo:shapes/types@0.1.0.{point, id as number, shape, error};
              /// Several
              /// lines <of> text.
              @unstable(feature = more)
              all: async func(a: list<point>, b: option<number>, c: list<u8, 4>, d: map<string, u32>, e: tuple<u8>) -> result<list<number>, error>;
              wait: async func();
              nested: func(a: result<u8>, b: result<_, string>, c: result, d: option<option<u8>>, e: stream<u8>, f: error-context, g: borrow<shape>) -> own<shape>;
              %record: func(%string: string) -> result;
            }
            world base { export helper: func() -> char; import demo:shapes/types@0.1.0; import inner: interface { ping: func(); } }
            world whole {
              include base with { helper as assistant };
              use shapes.{point};
              export user;
              export own: interface { type t = u8; go: func(p: t) -> t; }
              import random: func() -> point;
            }
            """);
        Assert.Empty(compiled.Problems);
        Assert.True(!compiled.Errors.Any(), string.Join('\n', compiled.Errors));
        Golden.Equal("app.txt", string.Concat(compiled.Sources.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value)));
    }

    [Theory]
    [InlineData("interface i { f: func( }", "WASMJIT005: expected a name, not \"}\"")]
    [InlineData("interface i { f: func(a: nothing); }", "WASMJIT005: the type \"nothing\" is not defined")]
    [InlineData("interface i { type a = b; type b = a; f: func(a: a); }", "WASMJIT005: the type b is made of itself")]
    [InlineData("world", "WASMJIT005: expected a name, but the file ends")]
    [InlineData("interface i { /* ", "WASMJIT005: a comment does not end")]
    [InlineData("interface i { # }", "WASMJIT005: unexpected character '#'")]
    [InlineData("function f", "WASMJIT005: expected an interface or world, not \"function\"")]
    public void SaysWhatItCannotRead(string text, string problem) => Assert.StartsWith(problem, Assert.Single(Compile(text).Problems), StringComparison.Ordinal);

    [Fact]
    public void ProblemsHaveALineAndColumn()
    {
        Microsoft.CodeAnalysis.Diagnostic problem = Assert.Single(Compile("interface i {\n  f func();\n}").Result.Diagnostics);
        Assert.Equal((1, 4, "/wit/file0.wit"), (problem.Location.GetLineSpan().StartLinePosition.Line, problem.Location.GetLineSpan().StartLinePosition.Character, problem.Location.GetLineSpan().Path));
    }

    /// <summary>Nested without an end: the reader says so before its stack does.</summary>
    [Fact]
    public void DeepTypes() =>
        Assert.Equal(["WASMJIT005: types are nested too deeply"], Compile($"interface i {{ f: func(a: {string.Concat(Enumerable.Repeat("list<", 100_000))}); }}").Problems);

    /// <summary>The interfaces of WASI 0.2, as the tests of the host have them.</summary>
    [Fact]
    public void TheInterfacesOfWasi()
    {
        string[] files = Directory.GetFiles(Golden.InRepository("Tests/Engine/Wasi/Preview2/Wit"), "*.wit");
        Assert.True(files.Length > 5);
        Compiled compiled = Compile([.. files.Select(File.ReadAllText)]);
        Assert.Empty(compiled.Problems);
        Assert.Empty(compiled.Errors);
        Assert.Contains("interface IDescriptor", compiled.Sources.Values.Single(s => s.Contains("namespace App.Filesystem", StringComparison.Ordinal)), StringComparison.Ordinal);
    }
}
