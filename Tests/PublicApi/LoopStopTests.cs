using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>Loops that look rarely whether they are to stop, and such as only seem to need no look, stop when the host says so.</summary>
public sealed class LoopStopTests
{
    private const string Text = """
        (module
          (tag $e)
          (func (export "step") (local i32) (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 12))) (br $l)))
          (func (export "step back") (local i32 i32)
            (loop $l (local.set 0 (local.tee 1 (i32.add (local.get 0) (i32.const -7)))) (br_if $l (i32.or (local.get 1) (i32.const 1)))))
          (func (export "wide step") (local i64) (loop $l (local.set 0 (i64.sub (local.get 0) (i64.const 3))) (br $l)))
          (func (export "step in a local") (local i32 i32) (local.set 1 (i32.const 5))
            (loop $l (local.set 0 (i32.add (local.get 1) (local.get 0))) (br $l)))
          (func (export "step of nothing") (local i32 i32) (loop $l (local.set 0 (i32.add (local.get 0) (local.get 1))) (br $l)))
          (func (export "step that changes") (local i32 i32) (local.set 1 (i32.const 5))
            (loop $l (local.set 0 (i32.add (local.get 0) (local.get 1))) (local.set 1 (i32.const 0)) (br $l)))
          (func (export "step that is skipped") (local i32 i32)
            (loop $l (if (local.get 1) (then (local.set 0 (i32.add (local.get 0) (i32.const 1))))) (br $l)))
          (func (export "step that is left out") (local i32 i32)
            (loop $l (block (br_if 0 (i32.eqz (local.get 1))) (local.set 0 (i32.add (local.get 0) (i32.const 1)))) (br $l)))
          (func (export "step behind a branch") (local i32 i32)
            (loop $l (br_if $l (i32.eqz (local.get 1))) (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br $l)))
          (func (export "step that is undone") (local i32)
            (loop $l (local.set 0 (i32.add (local.get 0) (i32.const 1))) (local.set 0 (i32.const 5)) (br $l)))
          (func (export "step of a loop in it") (local i32 i32)
            (loop $l
              (block $out (loop $m (br_if $out (i32.eqz (local.get 1))) (local.set 0 (i32.add (local.get 0) (i32.const 1))) (br $m)))
              (br $l)))
          (func (export "few in many") (local i32)
            (loop $l (local.set 0 (i32.const 0))
              (loop $m (br_if $m (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 100))))
              (br $l)))
          (func (export "limit that is stepped over") (local i32)
            (loop $l (br_if $l (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 2))) (i32.const 101)))))
          (func (export "limit that is begun behind") (local i32) (local.set 0 (i32.const 7))
            (loop $l (br_if $l (i32.ge_u (local.tee 0 (i32.add (local.get 0) (i32.const 0))) (i32.const 7)))))
          (func (export "handler") (local i32)
            (loop $l
              (block $h (try_table (catch_all $h) (local.set 0 (i32.add (local.get 0) (i32.const 1))) (throw $e)))
              (br $l))))
        """;

    public static TheoryData<string, Compilation> Loops
    {
        get
        {
            var loops = new TheoryData<string, Compilation>();
            foreach (string part in Text.Split("(export \"")[1..])
                foreach (Compilation compilation in new[] { Compilation.Lazy, Compilation.Tiered })
                    loops.Add(part[..part.IndexOf('"', StringComparison.Ordinal)], compilation);
            return loops;
        }
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public void EndlessLoopsStop(string name, Compilation compilation)
    {
        var engine = new Engine(new EngineOptions { Interruptible = true, Compilation = compilation });
        Instance instance = engine.CompileText(Text).Instantiate();
        Action loop = instance.GetExport<Action>(name);
        using var source = new CancellationTokenSource();
        Assert.Throws<GuestCanceledException>(() => Guest.Run(
            () =>
            {
                source.CancelAfter(10);
                loop();
            },
            source.Token));
    }
}
