using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace WasmJit.Tests.PublicApi;

/// <summary>The services of <c>AddWasmJit</c>.</summary>
public sealed class DependencyInjectionTests
{
    private const string Counter = """
        (module (import "env" "who" (func $who (result i32)))
          (global $n (mut i32) (i32.const 0))
          (func (export "next") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
          (func (export "who") (result i32) (call $who)))
        """;

    public interface ICounter
    {
        int Next();

        int Who();
    }

    private sealed record User(int Id);

    private static void Configure(WasmModuleOptions module)
    {
        module.Source = _ => Wat.ToBinary(Counter);
        module.Imports = _ => new Imports { { "env", "who", (Func<Caller, int>)(caller => caller.GetState<IServiceProvider>().GetRequiredService<User>().Id) } };
    }

    [Fact]
    public void EachScopeHasAnInstanceOfItsOwn()
    {
        int users = 0;
        var services = new ServiceCollection();
        services.AddWasmJit().AddModule<ICounter>("counter", Configure);
        services.AddScoped(_ => new User(++users));
        using ServiceProvider provider = services.BuildServiceProvider(validateScopes: true);
        using (IServiceScope first = provider.CreateScope(), second = provider.CreateScope())
        {
            ICounter a = first.ServiceProvider.GetRequiredService<ICounter>(), b = second.ServiceProvider.GetRequiredService<ICounter>();
            Assert.Same(a, first.ServiceProvider.GetRequiredService<ICounter>());
            Assert.Equal((1, 2, 1), (a.Next(), a.Next(), b.Next()));
            Assert.Equal((1, 2), (a.Who(), b.Who()));
            Assert.Equal(2, provider.GetRequiredService<WasmModules>().Pool("counter").InUse);
        }
        using IServiceScope third = provider.CreateScope();
        Assert.Equal(1, third.ServiceProvider.GetRequiredService<ICounter>().Next());
        Assert.Equal(3, third.ServiceProvider.GetRequiredService<ICounter>().Who());
        InstancePool pool = provider.GetRequiredService<WasmModules>().Pool("counter");
        Assert.Equal((1, 2), (pool.InUse, pool.Made));
    }

    [Fact]
    public void OptionsReachTheEngineAndThePools()
    {
        var services = new ServiceCollection();
        services.AddWasmJit(options => options.Engine = options.Engine with { CountFuel = true })
            .AddModule("spin", module =>
            {
                module.Source = _ => Wat.ToBinary("""(module (func (export "spin") (loop $l (br $l))))""");
                module.Fuel = 1000;
                module.MaximumInUse = 1;
            });
        services.Configure<WasmJitOptions>(options => options.Modules["spin"].MaximumIdle = 0);
        using ServiceProvider provider = services.BuildServiceProvider();
        Assert.True(provider.GetRequiredService<Engine>().Options.CountFuel);
        WasmModules modules = provider.GetRequiredService<WasmModules>();
        Assert.Equal(["spin"], modules.Names);
        InstancePool pool = modules.Pool("spin");
        Assert.Same(pool, modules.Pool("spin"));
        Assert.Same(modules.Get("spin"), pool.Module);
        using (PooledInstance rented = pool.Rent())
        {
            Assert.Equal(TrapKind.OutOfFuel, Assert.Throws<TrapException>(rented.Instance.GetExport<Action>("spin")).Kind);
            Assert.False(pool.TryRent(out _));
        }
        Assert.Equal(0, pool.Idle);
        provider.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pool.Rent());
    }

    [Fact]
    public void ModulesAreFilesAndSavedOnes()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("wasmjit-services");
        try
        {
            string plain = Path.Combine(folder.FullName, "m.wasm"), saved = Path.Combine(folder.FullName, "m.dll");
            byte[] bytes = Wat.ToBinary("""(module (func (export "f") (result i32) (i32.const 7)))""");
            File.WriteAllBytes(plain, bytes);
            new Engine().Compile(bytes).Save(saved);
            var services = new ServiceCollection();
            services.AddWasmJit().AddModule("plain", m => m.Path = plain).AddModule("saved", m => m.Path = saved).AddModule("nothing", _ => { });
            using ServiceProvider provider = services.BuildServiceProvider();
            WasmModules modules = provider.GetRequiredService<WasmModules>();
            foreach (string name in new[] { "plain", "saved" })
            {
                using PooledInstance rented = modules.Pool(name).Rent();
                Assert.Equal(7, rented.Instance.GetExport<Func<int>>("f")());
            }
            Assert.Contains("neither a Path nor a Source", Assert.Throws<InvalidOperationException>(() => modules.Get("nothing")).Message, StringComparison.Ordinal);
            Assert.Throws<KeyNotFoundException>(() => modules.Get("other"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A module that could not be had once, as its file was being replaced, can be had the next time.</summary>
    [Fact]
    public void WhatCouldNotBeLoadedIsTriedAgain()
    {
        int tries = 0;
        var services = new ServiceCollection();
        services.AddWasmJit().AddModule<ICounter>("counter", module =>
        {
            Configure(module);
            module.Source = _ => ++tries == 1 ? throw new IOException("in use") : tries == 2 ? [0, 1, 2] : Wat.ToBinary(Counter);
        });
        using ServiceProvider provider = services.BuildServiceProvider();
        WasmModules modules = provider.GetRequiredService<WasmModules>();
        Assert.Throws<IOException>(() => modules.Pool("counter"));
        Assert.Throws<MalformedModuleException>(() => modules.Get("counter"));
        using IServiceScope scope = provider.CreateScope();
        Assert.Equal(1, scope.ServiceProvider.GetRequiredService<ICounter>().Next());
        Assert.Same(modules.Get("counter"), modules.Pool("counter").Module);
        Assert.Equal(3, tries);
    }

    public interface IDisposableCounter : IDisposable
    {
        int Next();
    }

    /// <summary>The container disposes of what it has made. What the pool has lent is the pool's.</summary>
    [Fact]
    public void ADisposableFaceGoesBackToThePool()
    {
        var services = new ServiceCollection();
        services.AddWasmJit().AddModule<IDisposableCounter>("counter", Configure);
        using ServiceProvider provider = services.BuildServiceProvider();
        for (int i = 0; i < 3; i++)
        {
            using IServiceScope scope = provider.CreateScope();
            Assert.Equal(1, scope.ServiceProvider.GetRequiredService<IDisposableCounter>().Next());
        }
        InstancePool pool = provider.GetRequiredService<WasmModules>().Pool("counter");
        Assert.Equal((1, 1, 0), (pool.Made, pool.Idle, pool.InUse));
    }

    private sealed class Lines : ILoggerProvider, ILogger
    {
        internal List<string> All { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable BeginScope<TState>(TState state) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (All) All.Add($"{logLevel}: {formatter(state, exception)}");
        }

        public void Dispose()
        {
        }
    }

    [Fact]
    public void WhatHappensIsLogged()
    {
        using var lines = new Lines();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddProvider(lines).SetMinimumLevel(LogLevel.Debug));
        services.AddWasmJit().AddModule("counter", Configure);
        using ServiceProvider provider = services.BuildServiceProvider();
        using (provider.GetRequiredService<WasmModules>().Pool("counter").Rent())
        {
            lock (lines.All)
            {
                Assert.Contains(lines.All, l => l.StartsWith("Information: Module counter loaded: ", StringComparison.Ordinal));
                Assert.Contains("Debug: A new instance of module counter", lines.All);
            }
        }
    }
}
